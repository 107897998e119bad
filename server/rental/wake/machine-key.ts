/** The key of the Lanthorn on a rented machine, from the file that the settings name. Runs in the server process. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Failure } from "../../domain/failure.ts";
import { othersMayRead } from "../../platform/owner-file.ts";

/** `file` relative to the data folder; empty: null, it is asked without a key. Throws Failure `cannot_start`. */
export function readMachineKey(name: string, file: string, home: string): string | null {
  if (file === "") return null;
  const path = resolve(home, file);
  const refuse = (why: string, next: string, cause?: unknown) =>
    new Failure("cannot_start", `The key file of the rental "${name}" cannot be used: ${path}.`, {
      ...{ cause, why, next: [next] },
      param: `rentals.${name}.keyFile`,
    });
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw refuse("It is not there, or this user may not read it.", `ls -l ${path}`, cause);
  }
  if (othersMayRead(path)) throw refuse("Others may read it: its mode must be 0600 or stricter.", `chmod 600 ${path}`);
  if (!/^[\x21-\x7e]{4,4000}$/.test(text)) throw refuse("It holds no key: one line of plain text.", `ls -l ${path}`);
  return text;
}
