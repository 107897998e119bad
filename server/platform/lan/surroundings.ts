/** Where this process runs, as far as it can tell: in a container, on a rented machine. Runs in the server. */
import { existsSync, readFileSync } from "node:fs";

export interface Surroundings {
  readonly container: boolean;
  readonly rental: boolean;
}

/** Set by the markets inside their machines. */
const rentalVariables = ["RUNPOD_POD_ID", "VAST_CONTAINERLABEL", "CONTAINER_ID"];

export function readSurroundings(
  environment: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean = existsSync,
  read: (path: string) => string = (path) => readFileSync(path, "utf8"),
): Surroundings {
  const groups = tryRead("/proc/1/cgroup", read);
  return {
    container:
      environment.container !== undefined ||
      environment.KUBERNETES_SERVICE_HOST !== undefined ||
      exists("/.dockerenv") ||
      exists("/run/.containerenv") ||
      /docker|kubepods|containerd|\/lxc\//.test(groups),
    rental: rentalVariables.some((name) => environment[name] !== undefined),
  };
}

function tryRead(path: string, read: (path: string) => string): string {
  try {
    return read(path);
  } catch {
    return "";
  }
}
