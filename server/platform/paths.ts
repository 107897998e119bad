/**
 * Where Lanthorn keeps its things: one data folder, and the fixed names in it. Runs in the server and the CLI.
 */
import { accessSync, chmodSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import envPaths from "env-paths";
import { Failure } from "../domain/failure.ts";

export interface DataPaths {
  /** The data folder itself. */
  readonly home: string;
  /** GGUF files that are served without being named anywhere. */
  readonly models: string;
  /** Saved states of models: computed prefixes that may be needed again. */
  readonly kv: string;
  /** Contents of files that clients uploaded for batches, and of what came of them. */
  readonly batch: string;
  readonly config: string;
  readonly ledger: string;
  /** What real loads taught about memory. */
  readonly fitLessons: string;
  /** The admin key the server made for this box's own user. */
  readonly adminKey: string;
  /** What the keys of providers are sealed with, where nobody names another. */
  readonly masterKey: string;
  /** Where the running server is: pid and address. */
  readonly serverFile: string;
  /** The certificate and key that the box made for itself. */
  readonly tlsCertificate: string;
  readonly tlsKey: string;
  /** Held by the one process that may write here. */
  readonly lock: string;
}

/** `LANTHORN_HOME`, else the platform's own folder. Absolute paths; nothing is created. */
export function dataPaths(environment: Readonly<Record<string, string | undefined>>): DataPaths {
  const asked = environment.LANTHORN_HOME;
  const home = asked ? resolve(asked.replace(/^~(?=$|[\\/])/, homedir())) : envPaths("lanthorn", { suffix: "" }).data;
  return {
    home,
    models: join(home, "models"),
    kv: join(home, "kv"),
    batch: join(home, "batch"),
    config: join(home, "lanthorn.yaml"),
    ledger: join(home, "ledger.db"),
    fitLessons: join(home, "fit-lessons.json"),
    adminKey: join(home, "admin.key"),
    masterKey: join(home, "master.key"),
    serverFile: join(home, "server.json"),
    tlsCertificate: join(home, "tls.crt"),
    tlsKey: join(home, "tls.key"),
    lock: join(home, "data.lock"),
  };
}

/**
 * Makes the data folder and its `models`, for their owner only, and makes sure they can be written. A folder that was
 * there keeps its mode: every file inside is 0600 anyway. Throws Failure `cannot_start`.
 */
export function createDataFolder(paths: DataPaths): void {
  for (const folder of [paths.home, paths.models]) {
    try {
      if (!existsSync(folder)) {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        // The mode of mkdir passes through the umask; ours is exact.
        chmodSync(folder, 0o700);
      }
      if (!statSync(folder).isDirectory()) throw new Error("not a folder");
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (cause) {
      throw new Failure("cannot_start", `The data folder ${folder} cannot be used.`, {
        cause,
        why: "It must be a folder that this user can read and write.",
        next: ["LANTHORN_HOME=<another folder> lanthorn serve"],
      });
    }
  }
}
