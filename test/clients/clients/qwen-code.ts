/** Qwen Code, a coding agent on the OpenAI SDK. */
import { join } from "node:path";
import type { AgentClient } from "../client.ts";

export const qwenCode: AgentClient = {
  kind: "agent",
  id: "qwen-code",
  package: "@qwen-code/qwen-code",
  overflowWords: /API Error: 400 maximum context length is 8192 tokens/,
  shortens: true,
  start(installed, { home, address, model }, prompt, { resume }) {
    const settings = {
      privacy: { usageStatisticsEnabled: false },
      general: { disableAutoUpdate: true, disableUpdateNag: true },
    };
    return {
      command: [
        process.execPath,
        join(installed, "@qwen-code", "qwen-code", "cli.js"),
        "--yolo",
        ...(resume ? ["--continue"] : []),
        "-p",
        prompt,
      ],
      environment: {
        OPENAI_BASE_URL: address.baseUrl,
        OPENAI_API_KEY: address.apiKey,
        OPENAI_MODEL: model,
        // One process instead of a parent and a child.
        QWEN_CODE_NO_RELAUNCH: "true",
      },
      files: { [join(home, ".qwen", "settings.json")]: JSON.stringify(settings) },
    };
  },
};
