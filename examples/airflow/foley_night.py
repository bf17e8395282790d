"""An Airflow DAG: every video that came in gets its sound, a task for each, then one line of figures for each.

Put it into the DAGs folder; the workers need foley (`pip install foley-pipeline`) and one FOLEY_CACHE that they share.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.decorators import dag, task
from airflow.exceptions import AirflowFailException

INBOX, OUTBOX = "/media/in", "/media/out"

SUFFIXES = {".mp4", ".mov", ".mkv"}

WORTH_TRYING_AGAIN = {4, 8, 9}
"""Exit codes of what may pass: a disk that is full, a generator or a planning model that does not answer now."""


@dag(
    schedule="0 22 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"inbox": INBOX, "outbox": OUTBOX},
)
def foley_night() -> None:
    """Give a night's videos their sound."""

    @task
    def arrived(params: dict[str, Any] | None = None) -> list[str]:
        """Return the videos that have no result yet."""
        import foley.api

        assert params is not None
        outbox = Path(params["outbox"])
        outbox.mkdir(parents=True, exist_ok=True)
        videos = sorted(path for path in Path(params["inbox"]).iterdir() if path.suffix.lower() in SUFFIXES)
        return [str(path) for path in videos if not foley.api.destination(path, outbox).video.exists()]

    @task(retries=3, retry_delay=timedelta(minutes=5), execution_timeout=timedelta(hours=4))
    def sound(video: str, params: dict[str, Any] | None = None) -> str:
        """Give one video its sound; tried again, it goes on from the cache."""
        import foley

        assert params is not None
        prompt = Path(video).with_suffix(".txt")
        said = prompt.read_text(encoding="utf-8").strip() if prompt.exists() else ""
        try:
            result = foley.run(
                video, prompt=said, output=Path(params["outbox"]), settings=foley.Settings(overwrite=True)
            )
        except foley.FoleyError as error:
            if error.exit_code in WORTH_TRYING_AGAIN:
                raise
            raise AirflowFailException(f"{error.message}; {error.hint}") from error
        return str(result.folder)

    @task
    def figures(folders: list[str]) -> list[dict[str, Any]]:
        """Return loudness and the worst sync error of each, for whoever looks at the run in the morning."""
        lines = []
        for folder in folders:
            report = json.loads((Path(folder) / "report.json").read_text(encoding="utf-8"))
            errors = [abs(check["error_ms"]) for check in report["sync"] if check["error_ms"] is not None]
            lufs = report["loudness"]["mix"]["integrated_lufs"]
            lines.append({"clip": Path(folder).name, "lufs": lufs, "worst_sync_ms": max(errors, default=None)})
        return lines

    figures(sound.expand(video=arrived()))


foley_night()
