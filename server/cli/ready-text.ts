/** What `lanthorn serve` prints on a terminal when it is ready: what is served, where, and how to go on. Pure. */
import type { ServeReady, ServeRunning } from "../main.ts";
import { contextText, plural } from "./format.ts";
import { burnLine } from "./rental/burn-line.ts";
import { factLines } from "./table.ts";
import { printable } from "./text.ts";

/**
 * Aligned lines without a final newline. The admin key stands here once, when it was made for this very terminal.
 * `tunnel` is the command that brings a remote person's port here; null when nobody is remote.
 */
export function readyText(ready: ServeReady, tunnel: string | null): string {
  const facts: (readonly [string, string])[] = ready.models.map((model, index) => [
    index === 0 ? "Models" : "",
    `${printable(model.alias)}   ${contextText(model.contextLength)} context, ${plural(model.slots, "slot")}${purposeText(model)}${model.demo ? "   demo: tiny and often wrong" : ""}`,
  ]);
  if (facts.length === 0) facts.push(["Models", "none yet; put GGUF files into the data folder's models/"]);
  for (const refused of ready.refusedModels) {
    facts.push(["Left out", `${printable(refused.fileName)}: ${printable(refused.reason)}`]);
  }
  facts.push(["Ready", `${ready.url}   for OpenAI, Anthropic and Ollama clients; the page is ${ready.url}/`]);
  facts.push(["", `OpenAI clients want ${ready.url}/v1 as their base URL, the other two ${ready.url}`]);
  if (ready.lanUrls.length > 0) facts.push(["LAN", ready.lanUrls.join("   ")]);
  else facts.push(["", "this computer only; for the network: lanthorn serve --lan"]);
  if (ready.publicUrls.length > 0) facts.push(["Public", ready.publicUrls.join("   ")]);
  if (ready.fingerprint !== null) facts.push(["TLS", `SHA-256 ${ready.fingerprint}`]);
  if (ready.lanUrls.length === 0 && tunnel !== null) facts.push(["Tunnel", tunnel]);
  facts.push(["Keys", ready.keylessAllowed ? "none needed from this computer" : "everybody needs one"]);
  if (ready.adminKeyOnce !== null) {
    facts.push(["Admin", `${ready.adminKeyOnce}   shown once; lost? lanthorn keys reset-admin`]);
  } else if (ready.adminKeyFile !== null) {
    facts.push(["Admin", `the key lies in ${ready.adminKeyFile}`]);
  }
  const burning = ready.rentals === null ? null : burnLine(ready.rentals);
  if (burning !== null) facts.push(["Rentals", burning]);
  if (ready.rental !== null) facts.push(["Rental", ready.rental]);
  facts.push(["Data", ready.homeFolder]);
  for (const warning of ready.warnings) facts.push(["Note", warning]);
  facts.push(["next", nextStep(ready)]);
  return factLines(facts);
}

/** What `serve` says when a server of this data folder runs already. */
export function runningText({ url, pid, fingerprint, homeFolder }: ServeRunning): string {
  return factLines([
    ["Running", `${url}   already, as process ${pid}`],
    ...(fingerprint === null ? [] : [["TLS", `SHA-256 ${fingerprint}`] as const]),
    ["Data", homeFolder],
    ["next", "lanthorn · lanthorn stop"],
  ]);
}

function nextStep(ready: ServeReady): string {
  if (!ready.keylessAllowed) return "lanthorn keys create <name>";
  const alias = ready.models.find(({ capabilities }) => capabilities.includes("chat"))?.alias;
  return alias === undefined ? "lanthorn models list" : `lanthorn bench ${printable(alias)}`;
}

/** Nothing for what chats: that is what people expect. */
function purposeText({ capabilities }: ServeReady["models"][number]): string {
  return capabilities.includes("chat") ? "" : `   for ${capabilities.join(", ")}`;
}
