#!/bin/sh
# Gives every video of a folder its sound, one after another.
# Run it again after whatever happened: what is done is passed over, what was begun goes on from the cache.
#
#   night.sh INBOX OUTBOX [option of foley run ...]
set -u

inbox=${1:?where the videos are}
outbox=${2:?where the results go}
shift 2
mkdir -p "$outbox" || exit 4

failed=0
for video in "$inbox"/*.mp4 "$inbox"/*.mov "$inbox"/*.mkv; do
    [ -e "$video" ] || continue
    name=${video##*/}
    to=$outbox/${name%.*}.foley.${name##*.}
    [ -e "$to" ] && continue

    code=0
    foley run "$video" -o "$to" "$@" || code=$?
    case $code in
        0) ;;
        4) exit 4 ;;                # no room, or nothing may be written there: the next one would fail too
        2 | 7) exit "$code" ;;      # an option that there is not
        130 | 143) exit "$code" ;;  # somebody wants an end
        *)
            echo "night.sh: $name failed with code $code" >&2
            failed=$((failed + 1))
            ;;
    esac
done

[ "$failed" -eq 0 ] || exit 12
