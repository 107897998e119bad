/** A process that takes the lock of the data folder given to it, says so, and holds it until it is killed. */
import { createDataFolder, dataPaths } from "../../../server/platform/paths.ts";
import { takeDataLock } from "../../../server/platform/data-lock.ts";
import { writeServerFile } from "../../../server/platform/server-file.ts";

const paths = dataPaths({ LANTHORN_HOME: process.argv[2] });
createDataFolder(paths);
const outcome = takeDataLock(paths);
writeServerFile(paths.serverFile, { pid: process.pid, url: "http://127.0.0.1:4747", startedAtMs: 0 });
process.stdout.write(outcome.taken ? "taken\n" : "refused\n");
process.stdin.resume();
