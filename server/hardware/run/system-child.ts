/**
 * Asks systeminformation, and sends each part as it comes. Runs in a process of its own, started by `ask-system.ts`: the
 * library calls nvidia-smi, dmidecode and others synchronously and without a time limit, which would stop the whole server
 * with a driver that hangs. Only the fields that are read leave it; serial numbers and names of people's machines do not.
 */
import { cpu, fsSize, graphics, mem } from "systeminformation";

const controllerFields = [
  "vendor",
  "model",
  "name",
  "bus",
  "busAddress",
  "pciBus",
  "vram",
  "vramDynamic",
  "memoryTotal",
  "memoryFree",
  "driverVersion",
  "powerDraw",
  "powerLimit",
  "temperatureGpu",
  "utilizationGpu",
] as const;

function chosen(source: object, fields: readonly string[]): object {
  return Object.fromEntries(Object.entries(source).filter(([name]) => fields.includes(name)));
}

// Nobody is left to hear.
process.on("disconnect", () => process.exit(0));
const say = (message: object) => new Promise<void>((resolve) => void process.send?.(message, () => resolve()));

/** A part that fails is a part that is missing. */
async function part(name: string, ask: () => Promise<unknown>): Promise<void> {
  const value = await ask().catch(() => null);
  await say({ [name]: value ?? null });
}

await Promise.all([
  part("cpu", async () => chosen(await cpu(), ["manufacturer", "brand", "physicalCores", "cores"])),
  part("mem", async () => chosen(await mem(), ["total", "available"])),
  part("fileSystems", async () => (await fsSize()).map((one) => chosen(one, ["mount", "size", "available"]))),
]);
// Last, because it is the one that hangs.
await part("controllers", async () => (await graphics()).controllers.map((one) => chosen(one, controllerFields)));
process.exit(0);
