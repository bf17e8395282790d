/* A double of what the panel uses of UXP itself where it has no window. */
"use strict";

module.exports = { storage: { localFileSystem: {} } };
