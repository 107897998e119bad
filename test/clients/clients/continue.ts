/** Continue's command line, a coding agent on the OpenAI SDK. */
import { join } from "node:path";
import type { AgentClient } from "../client.ts";

export const continueCli: AgentClient = {
  kind: "agent",
  id: "continue",
  package: "@continuedev/cli",
  overflowWords: /Context length exceeded/,
  shortens: false,
  start(installed, { home, address, model, contextLength }, prompt, { resume }) {
    const config = join(home, "continue.yaml");
    const lines = [
      "name: test",
      "version: 1.0.0",
      "schema: v1",
      "models:",
      "  - name: lanthorn",
      "    provider: openai",
      `    model: ${model}`,
      `    apiBase: ${address.baseUrl}`,
      `    apiKey: ${address.apiKey}`,
      "    roles: [chat]",
      "    capabilities: [tool_use]",
      "    defaultCompletionOptions:",
      `      contextLength: ${contextLength}`,
    ];
    const program = join(installed, "@continuedev", "cli", "dist", "cn.js");
    return {
      command: [process.execPath, program, "--config", config, "--auto", ...(resume ? ["--resume"] : []), "-p", prompt],
      environment: { CONTINUE_CLI_ENABLE_TELEMETRY: "0", CONTINUE_TELEMETRY_ENABLED: "0" },
      files: { [config]: `${lines.join("\n")}\n` },
    };
  },
};
