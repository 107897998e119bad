/** One look at the machine for all checks of a `lanthorn doctor` that want it: they share it instead of waking the driver each. */
import { recordMachine } from "../../hardware/probe.ts";
import type { Recording } from "../../hardware/recording.ts";
import type { CheckContext } from "./check.ts";

const looks = new WeakMap<CheckContext, Promise<Recording>>();

export function machineLook(context: CheckContext): Promise<Recording> {
  const { paths, signal } = context;
  const look = looks.get(context) ?? recordMachine({ modelsFolder: paths.models, signal });
  looks.set(context, look);
  return look;
}
