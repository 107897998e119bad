/**
 * The demo model's file without making it each time: writing its weights takes up to half a second of CPU, and nearly every
 * test that starts a box or an engine needs it. A true first start, which makes the file itself, is a start in a folder that
 * the test gives (`startServer({ home })`).
 */
import { constants } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { ensureDemoModel } from "../../models/demo/file.ts";
import type { VoiceName } from "../../models/demo/voices.ts";

/** Beside the other caches of a checkout. The file there is only ever read. */
const kept = join(import.meta.dirname, "../../node_modules/.cache/lanthorn-demo");

/** As `ensureDemoModel`: the file in `folder`, which is made where it is missing, as the box makes it. */
export async function demoCopy(folder: string, voice: VoiceName = "demo"): Promise<string> {
  const original = await ensureDemoModel(kept, voice);
  const path = join(folder, basename(original));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyFile(original, path, constants.COPYFILE_FICLONE);
  return path;
}
