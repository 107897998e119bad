/** The list of machines by the hour: every provider's file. Adding a provider is a file, or a few lines in one, and a line here. */
import { alibabaInstances, awsInstances, azureInstances, gcpInstances } from "./clouds.ts";
import { type Instance, instancesOf, type ProviderInstances } from "./instance.ts";
import { modalInstances, runpodInstances, vastInstances } from "./markets.ts";

export const instanceLists: readonly ProviderInstances[] = Object.freeze([
  awsInstances,
  azureInstances,
  gcpInstances,
  alibabaInstances,
  vastInstances,
  runpodInstances,
  modalInstances,
]);

export const instances: readonly Instance[] = Object.freeze(instanceLists.flatMap(instancesOf));

/** Exact; null: nobody entered it. */
export function instanceOf(id: string): Instance | null {
  return instances.find((one) => one.id === id) ?? null;
}
