/** The registry of commands: one line each. Its order is the order of `lanthorn help`. */
import type { CommandEntry } from "../command.ts";

export const commands = Object.freeze({
  serve: { summary: "serve models to this computer or the LAN", load: () => import("./serve.ts") },
  stop: { summary: "stop the running server", load: () => import("./stop.ts") },
  models: { summary: "what is served, and in which state", load: () => import("./models.ts") },
  keys: { summary: "who may use the box", load: () => import("./keys.ts") },
  route: { summary: "where aliases lead, and why", load: () => import("./route.ts") },
  provider: { summary: "cloud providers and other servers to ask", load: () => import("./provider.ts") },
  usage: { summary: "who used what, and one request in detail", load: () => import("./usage.ts") },
  rental: { summary: "rented machines: offers, leases, what they cost", load: () => import("./rental.ts") },
  plan: { summary: "what a demand costs and needs, each way", load: () => import("./plan.ts") },
  fleet: { summary: "boxes on this network", load: () => import("./fleet.ts") },
  config: { summary: "settings, and where each came from", load: () => import("./config.ts") },
  doctor: { summary: "check this installation", load: () => import("./doctor.ts") },
  bench: { summary: "measure the running server", load: () => import("./bench.ts") },
} satisfies Record<string, CommandEntry>);

export type CommandName = keyof typeof commands;

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(commands, word);
}
