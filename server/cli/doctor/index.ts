/** What `lanthorn doctor` looks at, in the order it is shown: what the later ones need comes first. */
import type { Check } from "./check.ts";
import { configCheck } from "./config.ts";
import { dataFolderCheck, diskCheck } from "./data-folder.ts";
import { engineCheck } from "./engine.ts";
import { gpuCheck, memoryCheck } from "./hardware.ts";
import { ledgerCheck } from "./ledger.ts";
import { nodeCheck } from "./node.ts";
import { portCheck } from "./port.ts";
import { rentalsCheck } from "./rentals.ts";
import { tlsCheck } from "./tls.ts";

export const checks: readonly Check[] = Object.freeze([
  nodeCheck,
  dataFolderCheck,
  diskCheck,
  configCheck,
  portCheck,
  tlsCheck,
  ledgerCheck,
  gpuCheck,
  memoryCheck,
  engineCheck,
  rentalsCheck,
]);
