/** A machine written down in a file, for `--hardware`: what its tools printed, read as if they had been asked here. */
import { open } from "node:fs/promises";
import type { z } from "zod";
import type { HardwareView } from "../domain/hardware.ts";
import { Failure } from "../domain/failure.ts";
import { pictureOf } from "./merge.ts";
import { type Recording, recording } from "./recording.ts";

/** A real one is a few kilobytes. */
const mostBytes = 1024 * 1024;

/** Throws Failure `invalid_request` when the file is not there or no such description. */
export async function readHardwareFile(path: string): Promise<HardwareView> {
  return pictureOf(await readRecording(path)).view;
}

export async function readRecording(path: string): Promise<Recording> {
  const text = await readBounded(path);
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch {
    throw new Failure("invalid_request", `${path} is no JSON file.`);
  }
  const parsed = recording.safeParse(written);
  if (!parsed.success) throw new Failure("invalid_request", `${path} describes no machine: ${faultOf(parsed.error)}.`);
  return parsed.data;
}

async function readBounded(path: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size > mostBytes) throw new Failure("invalid_request", `${path} is too large for a machine's description.`);
      const buffer = Buffer.alloc(Math.max(1, size));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure("invalid_request", `${path} cannot be read.`, { cause });
  }
}

/** The first fault with its place: `engine.gpu: …`, `unknown key "colour"`. */
function faultOf(error: z.ZodError): string {
  const issue = error.issues[0];
  if (issue === undefined) return "it has another form";
  const place = issue.path.join(".");
  const text =
    issue.code === "unrecognized_keys" ? `unknown key "${issue.keys.join('", "').slice(0, 200)}"` : issue.message;
  return place === "" ? text : `${place}: ${text}`;
}
