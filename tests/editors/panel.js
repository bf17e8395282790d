/* Score a selected clip with the panel's own functions: node panel.js PANEL-FOLDER ASKED; prints what came of it. */
"use strict";

const { createRequire } = require("module");
const path = require("path");

const [folder, text] = process.argv.slice(2);
const inside = createRequire(path.join(folder, "index.js"));
const premiere = inside("premierepro");
const panel = inside("./index.js");

async function main() {
  const asked = JSON.parse(text);
  premiere.sequence.selected = [new premiere.TrackItem(asked)];
  const open = await panel.opened();
  const shown = await panel.selectedClip(open.sequence);
  const service = new panel.Service(`${asked.url}/`, `${asked.token}\n`);
  const states = [];
  const made = await panel.scored(service, shown.video, asked.prompt, (job) => states.push(job.state));
  await panel.place(open, made, shown);
  const nobody = new panel.Service("http://127.0.0.1:9", asked.token);
  const refused = await nobody.job("x").catch((problem) => problem.message);
  const wrong = await new panel.Service(asked.url, "wrong").job("x").catch((problem) => problem.kind);
  process.stdout.write(JSON.stringify({ ...premiere.told, states, refused, wrong }));
}

main();
