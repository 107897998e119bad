/** opencode, a coding agent on the AI SDK. Its program is native and needs no install script when started by its own path. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { AgentClient } from "../client.ts";

const provider = "lanthorn";

export const opencode: AgentClient = {
  kind: "agent",
  id: "opencode",
  package: "opencode-ai",
  overflowWords: /maximum context length is 8192 tokens/,
  shortens: true,
  start(installed, { home, address, model, contextLength }, prompt, { resume, sideRequests }) {
    const settings = {
      model: `${provider}/${model}`,
      // Without this a session is named by a request of its own.
      small_model: `${provider}/${model}`,
      provider: {
        [provider]: {
          npm: "@ai-sdk/openai-compatible",
          name: "Lanthorn",
          options: { baseURL: address.baseUrl, apiKey: "{env:LANTHORN_API_KEY}" },
          models: { [model]: { name: model, limit: { context: contextLength, output: 2_048 } } },
        },
      },
    };
    return {
      command: [
        program(installed),
        "run",
        ...(resume ? ["--continue"] : []),
        ...(sideRequests ? [] : ["--title", "test"]),
        prompt,
      ],
      environment: {
        LANTHORN_API_KEY: address.apiKey,
        OPENCODE_DISABLE_AUTOUPDATE: "1",
        OPENCODE_DISABLE_MODELS_FETCH: "1",
        OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
      },
      files: { [join(home, ".config", "opencode", "opencode.json")]: JSON.stringify(settings, null, 2) },
    };
  },
};

/** The ordinary build for this machine; the one for old processors where only that was installed. */
function program(installed: string): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const file = process.platform === "win32" ? "opencode.exe" : "opencode";
  const candidates = ["", "-baseline"].map((build) =>
    join(installed, `opencode-${system}-${process.arch}${build}`, "bin", file),
  );
  const found = candidates.find(existsSync);
  if (found === undefined) throw new Error(`opencode has no build for ${process.platform} ${process.arch}`);
  return found;
}
