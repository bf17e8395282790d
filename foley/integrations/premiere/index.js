/* Foley's panel for Premiere 25.6 and later: sends a clip to `foley serve`, brings stems and markers back.
 *
 * Not run in Premiere: written by Adobe's UXP reference (August 2026) and tested against a double of that API.
 * A panel cannot start programs: `foley serve --root FOLDER` must run, and the clip must lie under FOLDER.
 */

"use strict";

const premiere = require("premierepro");
const { localFileSystem } = require("uxp").storage;

const ENDED = ["done", "failed", "cancelled"];
const BUSES = ["foley", "effects", "backgrounds", "music"];
const POLL_MS = 700;
const COMMENT = premiere.Marker.MARKER_TYPE_COMMENT || "Comment";

/** What the service refused, with what to do about it. */
class Refused extends Error {
  constructor({ kind, message, hint }) {
    super(hint ? `${message} (${hint})` : message);
    this.kind = kind;
  }
}

/** Talks to one service. */
class Service {
  constructor(url, token) {
    this.url = url.replace(/\/+$/, "");
    this.token = token.trim();
  }

  async send(method, path, fields) {
    const headers = { Authorization: `Bearer ${this.token}` };
    const asked = { method, headers };
    if (fields) {
      headers["Content-Type"] = "application/json";
      asked.body = JSON.stringify(fields);
    }
    let answer;
    try {
      answer = await fetch(this.url + path, asked);
    } catch (cause) {
      throw new Refused({ kind: "NoService", message: `no answer from ${this.url}`, hint: "start it: foley serve" });
    }
    const text = await answer.text();
    if (!answer.ok) {
      throw new Refused(problem(text, answer.status));
    }
    return text;
  }

  async submit(fields) {
    return JSON.parse(await this.send("POST", "/v1/jobs", fields));
  }

  async job(id) {
    return JSON.parse(await this.send("GET", `/v1/jobs/${id}`));
  }

  async cancel(id) {
    return JSON.parse(await this.send("POST", `/v1/jobs/${id}/cancel`));
  }

  async files(id) {
    return JSON.parse(await this.send("GET", `/v1/jobs/${id}/files`)).files.map((file) => file.name);
  }

  async text(id, name) {
    const address = name.split("/").map(encodeURIComponent).join("/");
    return this.send("GET", `/v1/jobs/${id}/files/${address}`);
  }

  /** Wait for the end of a job, asking again and again: panels cannot read a stream of events. */
  async wait(id, onChange) {
    for (;;) {
      const job = await this.job(id);
      onChange(job);
      if (ENDED.includes(job.state)) {
        if (job.state === "done") {
          return job;
        }
        throw new Refused(job.error || { kind: "Cancelled", message: "the job was cancelled", hint: "" });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

function problem(text, status) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return { kind: "Refused", message: `the service answered ${status}`, hint: "" };
  }
}

/** Return the rows of a table, each as an object by the names of the first row. */
function table(text) {
  const rows = [[""]];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const row = rows[rows.length - 1];
    const sign = text[at];
    if (sign === '"' && quoted && text[at + 1] === '"') {
      row[row.length - 1] += '"';
      at += 1;
    } else if (sign === '"') {
      quoted = !quoted;
    } else if (sign === "," && !quoted) {
      row.push("");
    } else if (sign === "\n" && !quoted) {
      rows.push([""]);
    } else {
      row[row.length - 1] += sign;
    }
  }
  const [names, ...content] = rows.filter((row) => row.length > 1);
  return content.map((row) => Object.fromEntries(names.map((name, number) => [name, row[number]])));
}

/** Return what is heard when: its first hit where it has hits. */
function cues(sheet) {
  return table(sheet).map((row) => ({
    label: row.description,
    reason: row.reason,
    startS: Number(row.hits.split(" ")[0] || row.start),
    endS: Number(row.end),
  }));
}

/** Have a clip scored; return the paths of its stems by bus, and what is heard when. */
async function scored(service, video, prompt, tell) {
  const job = await service.submit({ video, prompt, exports: ["csv"] });
  const done = await service.wait(job.id, tell);
  const names = await service.files(job.id);
  const told = JSON.parse(await service.text(job.id, names.find((name) => /^[^/]+\/manifest\.json$/.test(name))));
  const sheet = await service.text(job.id, names.find((name) => name.endsWith(".csv")));
  const slash = done.result.folder.includes("\\") ? "\\" : "/";
  const stems = {};
  for (const sound of told.sounds) {
    if (BUSES.includes(sound.holds) && sound.origin !== "Silence") {
      stems[sound.holds] = [done.result.folder, ...sound.file.split("/")].join(slash);
    }
  }
  return { stems, cues: cues(sheet) };
}

/** Do actions as one step that can be undone; since 26.3 they must be made while the project is locked. */
function transact(project, makeActions, label) {
  let done = false;
  project.lockedAccess(() => {
    done = project.executeTransaction((compound) => {
      for (const action of makeActions()) {
        compound.addAction(action);
      }
    }, label);
  });
  if (!done) {
    throw new Error(`Premiere did not do it: ${label}`);
  }
}

const at = (seconds) => premiere.TickTime.createWithSeconds(seconds);

/** Return the active project and sequence. */
async function opened() {
  const project = await premiere.Project.getActiveProject();
  const sequence = project && (await project.getActiveSequence());
  if (!sequence) {
    throw new Error("no sequence is open");
  }
  return { project, sequence };
}

/** Return the selected clip: its file, and where of it what is shown. */
async function selectedClip(sequence) {
  const items = await (await sequence.getSelection()).getTrackItems();
  for (const item of items) {
    const clip = premiere.ClipProjectItem.cast(await item.getProjectItem());
    const video = clip && (await clip.getMediaFilePath());
    if (video) {
      if ((await item.getSpeed()) !== 1) {
        throw new Error("the clip is not played at its own speed");
      }
      const [start, first, length] = [await item.getStartTime(), await item.getInPoint(), await item.getDuration()];
      return { video, startS: start.seconds, inS: first.seconds, durationS: length.seconds };
    }
  }
  throw new Error("select a clip of the sequence first");
}

/** Return the clips of a project whose files are those, by path. */
async function clipsOf(folder, paths, found = new Map()) {
  for (const item of await folder.getItems()) {
    const clip = premiere.ClipProjectItem.cast(item);
    const inside = clip ? null : premiere.FolderItem.cast(item);
    if (inside) {
      await clipsOf(inside, paths, found);
    }
    const path = clip ? await clip.getMediaFilePath() : "";
    if (paths.includes(path)) {
      found.set(path, { item, clip });
    }
  }
  return found;
}

/** Put stems on new audio tracks under what is shown, and say on the sequence what is heard and why. */
async function place({ project, sequence }, made, shown) {
  const paths = Object.values(made.stems);
  if (!(await project.importFiles(paths, true, await project.getInsertionBin(), false))) {
    throw new Error(`Premiere did not import ${paths.join(", ")}`);
  }
  const clips = await clipsOf(await project.getRootItem(), paths);
  const editor = premiere.SequenceEditor.getEditor(sequence);
  for (const path of paths) {
    const known = clips.get(path);
    if (!known) {
      throw new Error(`Premiere did not import ${path}`);
    }
    if (shown.durationS !== null) {
      const [first, past] = [at(shown.inS), at(shown.inS + shown.durationS)];
      transact(project, () => [known.clip.createSetInOutPointsAction(first, past)], "Foley: trim a stem");
    }
    const track = await sequence.getAudioTrackCount(); // one past the last: Premiere makes a new one
    const start = at(shown.startS);
    const insert = () => [editor.createInsertProjectItemAction(known.item, start, 0, track, true)];
    transact(project, insert, "Foley: add a stem");
  }
  return mark({ project, sequence }, made.cues, shown);
}

async function mark({ project, sequence }, heard, shown) {
  const markers = await premiere.Markers.getMarkers(sequence);
  const lastS = shown.durationS === null ? Infinity : shown.durationS;
  const inside = heard.filter((cue) => cue.endS > shown.inS && cue.startS < shown.inS + lastS);
  transact(
    project,
    () =>
      inside.map((cue) => {
        const startS = shown.startS + Math.max(0, cue.startS - shown.inS);
        return markers.createAddMarkerAction(cue.label, COMMENT, at(startS), at(0), cue.reason);
      }),
    "Foley: markers",
  );
  return inside.length;
}

const panel = { job: null, service: null };

const element = (id) => document.getElementById(id);

function show(job) {
  panel.job = job;
  const progress = job.progress || { doing: job.state, done: job.state === "done" ? 1 : 0 };
  element("done").value = progress.done;
  element("state").textContent = progress.doing;
}

async function score(find) {
  element("cancel").disabled = false;
  try {
    const { project, sequence } = await opened();
    const shown = await find(sequence);
    if (shown) {
      panel.service = new Service(element("url").value, element("token").value);
      const made = await scored(panel.service, shown.video, element("prompt").value, show);
      const markers = await place({ project, sequence }, made, shown);
      element("state").textContent = `${Object.keys(made.stems).length} stems, ${markers} markers`;
    }
  } catch (problem) {
    element("state").textContent = problem.message;
  } finally {
    panel.job = null;
    element("cancel").disabled = true;
  }
}

/** Let a person choose what was exported of the sequence; it is placed at the sequence's beginning. */
async function exportedFile() {
  const file = await localFileSystem.getFileForOpening({ types: ["mp4", "mov", "mxf", "mkv"] });
  return file && { video: file.nativePath, startS: 0, inS: 0, durationS: null };
}

async function readToken() {
  const file = await localFileSystem.getFileForOpening();
  if (file) {
    element("token").value = (await file.read()).trim();
    remember();
  }
}

async function cancel() {
  if (panel.job && panel.service) {
    await panel.service.cancel(panel.job.id);
  }
}

function remember() {
  for (const id of ["url", "token", "prompt"]) {
    localStorage.setItem(`foley.${id}`, element(id).value);
  }
}

function start() {
  for (const id of ["url", "token", "prompt"]) {
    element(id).value = localStorage.getItem(`foley.${id}`) || element(id).value;
    element(id).addEventListener("change", remember);
  }
  element("score-clip").addEventListener("click", () => score(selectedClip));
  element("score-file").addEventListener("click", () => score(exportedFile));
  element("read-token").addEventListener("click", readToken);
  element("cancel").addEventListener("click", cancel);
}

if (typeof document === "undefined") {
  module.exports = { Service, cues, opened, place, scored, selectedClip };
} else {
  start();
}
