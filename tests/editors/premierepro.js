/* A double of what the panel uses of Premiere's UXP API: actions made outside of a lock are counted, as 26.3 refuses. */
"use strict";

const told = { sounds: [], markers: [], unlocked: 0, imported: [] };
let locked = false;

function action(act) {
  if (!locked) {
    told.unlocked += 1;
  }
  return act;
}

const tick = (seconds) => ({ seconds });

class ClipProjectItem {
  constructor(path) {
    this.path = path;
    this.trim = null;
  }

  static cast(item) {
    return item instanceof ClipProjectItem ? item : undefined;
  }

  async getMediaFilePath() {
    return this.path;
  }

  createSetInOutPointsAction(first, past) {
    return action(() => {
      this.trim = [first.seconds, past.seconds];
    });
  }
}

class FolderItem {
  constructor(items) {
    this.items = items;
  }

  static cast(item) {
    return item instanceof FolderItem ? item : undefined;
  }

  async getItems() {
    return this.items;
  }
}

class TrackItem {
  constructor({ video, startS, inS, durationS }) {
    Object.assign(this, { video, startS, inS, durationS });
  }

  async getProjectItem() {
    return new ClipProjectItem(this.video);
  }

  async getSpeed() {
    return 1;
  }

  async getStartTime() {
    return tick(this.startS);
  }

  async getInPoint() {
    return tick(this.inS);
  }

  async getDuration() {
    return tick(this.durationS);
  }
}

const bin = new FolderItem([]);
const root = new FolderItem([bin]);

const sequence = {
  tracks: 2,
  selected: [],
  async getSelection() {
    return { getTrackItems: async () => this.selected };
  },
  async getAudioTrackCount() {
    return this.tracks;
  },
};

const project = {
  async getActiveSequence() {
    return sequence;
  },
  async getInsertionBin() {
    return bin;
  },
  async getRootItem() {
    return root;
  },
  async importFiles(paths, quiet, target, asStills) {
    target.items.push(...paths.map((path) => new ClipProjectItem(path)));
    return quiet === true && asStills === false;
  },
  lockedAccess(callback) {
    locked = true;
    callback();
    locked = false;
  },
  executeTransaction(callback, label) {
    const actions = [];
    callback({ addAction: (one) => actions.push(one) });
    actions.forEach((act) => act());
    return label !== "";
  },
};

module.exports = {
  told,
  sequence,
  TrackItem,
  ClipProjectItem,
  FolderItem,
  Project: { getActiveProject: async () => project },
  TickTime: { createWithSeconds: tick },
  Marker: { MARKER_TYPE_COMMENT: "Comment" },
  Markers: {
    getMarkers: async () => ({
      createAddMarkerAction: (name, type, start, duration, comment) =>
        action(() => told.markers.push({ name, type, at: start.seconds, durationS: duration.seconds, comment })),
    }),
  },
  SequenceEditor: {
    getEditor: (of) => ({
      createInsertProjectItemAction: (item, time, videoTrack, audioTrack) =>
        action(() => {
          of.tracks = Math.max(of.tracks, audioTrack + 1);
          told.sounds.push({ path: item.path, trim: item.trim, at: time.seconds, track: audioTrack });
        }),
    }),
  },
};
