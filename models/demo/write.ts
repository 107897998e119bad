/**
 * Writes a constructed chat model from nothing: `node models/demo/write.ts out.gguf [--voice second]`.
 * A command of its own.
 */
import { parseArgs } from "node:util";
import { writeDemoModel } from "./file.ts";
import { greedyText, type VoiceName, voices } from "./voices.ts";

function isVoice(name: string): name is VoiceName {
  return Object.hasOwn(voices, name);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { voice: { type: "string", default: "demo" } },
});
const [path] = positionals;
if (path === undefined || positionals.length > 1 || !isVoice(values.voice)) {
  process.stderr.write(`usage: node models/demo/write.ts <out.gguf> [--voice ${Object.keys(voices).join("|")}]\n`);
  process.exitCode = 2;
} else {
  await writeDemoModel(path, values.voice);
  process.stdout.write(`${path}\n${greedyText(voices[values.voice].plain)}\n`);
}
