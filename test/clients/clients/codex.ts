/** Codex, a coding agent on the Responses wire. Its program is native and needs no install script when started by its own path. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient } from "../client.ts";

/** As its packages name what they hold. */
const triples: Readonly<Record<string, string>> = Object.freeze({
  "linux-x64": "x86_64-unknown-linux-musl",
  "linux-arm64": "aarch64-unknown-linux-musl",
  "darwin-x64": "x86_64-apple-darwin",
  "darwin-arm64": "aarch64-apple-darwin",
  "win32-x64": "x86_64-pc-windows-msvc",
  "win32-arm64": "aarch64-pc-windows-msvc",
});

export const codex: AgentClient = {
  kind: "agent",
  id: "codex",
  package: "@openai/codex",
  overflowWords: /ran out of room|context window|maximum context length/,
  shortens: false,
  start(installed, { home, address, model, contextLength }, prompt, { resume }) {
    const settings = [
      `model = "${model}"`,
      `model_provider = "lanthorn"`,
      `model_context_window = ${contextLength}`,
      `web_search = "disabled"`,
      `check_for_update_on_startup = false`,
      `[analytics]`,
      `enabled = false`,
      `[features]`,
      `apps = false`,
      `plugins = false`,
      `[model_providers.lanthorn]`,
      `name = "Lanthorn"`,
      `base_url = "${address.baseUrl}"`,
      `env_key = "LANTHORN_API_KEY"`,
      `wire_api = "responses"`,
      "",
    ];
    return {
      command: [
        program(installed),
        "exec",
        "--skip-git-repo-check",
        // It works in a folder made for this run, and a container often gives no sandbox within.
        "--dangerously-bypass-approvals-and-sandbox",
        ...(resume ? ["resume", "--last"] : []),
        prompt,
      ],
      environment: { LANTHORN_API_KEY: address.apiKey },
      files: { [join(home, ".codex", "config.toml")]: settings.join("\n") },
    };
  },
};

function program(installed: string): string {
  const system = `${process.platform}-${process.arch}`;
  const file = process.platform === "win32" ? "codex.exe" : "codex";
  const folder = join(installed, "@openai", `codex-${system}`, "vendor", triples[system] ?? "");
  const found = [join(folder, "bin", file), join(folder, "codex", file)].find(existsSync);
  if (found === undefined) throw new Error(`Codex has no build for ${system}`);
  return found;
}
