/** Bodies of the shape that Codex sends, written from what was observed of it. Ids and metadata differ from request to request. */

const environment = "<environment_context>\n  <cwd>/home/ada</cwd>\n</environment_context>";

const functionTool = (name: string) => ({
  type: "function",
  name,
  description: `Does ${name}.`,
  strict: false,
  parameters: {
    type: "object",
    properties: { cmd: { type: "string" } },
    required: ["cmd"],
    additionalProperties: false,
  },
});

export const codexTools = [
  functionTool("exec_command"),
  {
    type: "namespace",
    name: "multi_agent_v1",
    description: "Agents.",
    tools: [functionTool("spawn_agent"), functionTool("wait_agent")],
  },
  { type: "web_search", external_web_access: false },
  {
    type: "custom",
    name: "apply_patch",
    description: "Edits files.",
    format: { type: "grammar", syntax: "lark", definition: 'start: "*** Begin Patch" LF /(.+)/\n%import common.LF' },
  },
  { type: "tool_search", execution: "client", parameters: { type: "object" } },
];

/** What a second turn has behind its first four items. */
export const codexHistory: readonly object[] = [
  {
    ...{ type: "reasoning", id: "rs_1", encrypted_content: "gAAA=" },
    ...{ summary: [], content: [{ type: "reasoning_text", text: "Which file?" }] },
  },
  {
    ...{ type: "message", id: "msg_9", role: "assistant" },
    content: [{ type: "output_text", text: "I look first.", annotations: [] }],
  },
  {
    ...{ type: "function_call", id: "fc_1", call_id: "call_1", name: "exec_command" },
    ...{ arguments: '{"cmd": "ls"}', status: "completed" },
  },
  {
    ...{ type: "function_call", id: "fc_2", call_id: "call_2", name: "spawn_agent", namespace: "multi_agent_v1" },
    ...{ arguments: "{}", status: "completed" },
  },
  { type: "custom_tool_call", id: "ctc_1", call_id: "call_3", name: "apply_patch", input: "*** Begin Patch" },
  { type: "function_call_output", id: "fco_1", call_id: "call_1", output: "a.txt" },
  { type: "function_call_output", id: "fco_2", call_id: "call_2", output: [{ type: "input_text", text: "started" }] },
  { type: "custom_tool_call_output", id: "ctco_1", call_id: "call_3", output: "Done!" },
  {
    ...{ type: "message", id: "msg_10", role: "assistant" },
    content: [{ type: "output_text", text: "done", annotations: [] }],
  },
  { type: "message", id: "msg_11", role: "user", content: [{ type: "input_text", text: "and now?" }] },
];

/** `seed` changes what is different in every request and means nothing. */
export function codexBody({ seed = "a", items = [] as readonly object[] } = {}): Record<string, unknown> {
  const message = (number: number, role: string, ...texts: string[]) => ({
    type: "message",
    id: `msg_${seed}${number}`,
    role,
    content: texts.map((text) => ({ type: "input_text", text })),
  });
  return {
    input: [
      message(1, "developer", "You are an agent in a terminal."),
      message(2, "developer", "Skills.", "Permissions."),
      message(3, "user", environment),
      message(4, "user", "create hello.txt"),
      ...items,
    ],
    model: "coder",
    stream: true,
    tools: codexTools,
    tool_choice: "auto",
    parallel_tool_calls: true,
    reasoning: { summary: "auto" },
    store: false,
    include: ["reasoning.encrypted_content"],
    prompt_cache_key: "0199-session",
    client_metadata: { turn: `{"id":"${seed}"}`, window: seed },
  };
}
