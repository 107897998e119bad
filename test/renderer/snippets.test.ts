import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { certificateOf, clients, type ConnectFacts, endpointOf, isLoopback } from "../../renderer/connect/snippets.ts";

const run = promisify(execFile);
const facts: ConnectFacts = {
  endpoint: "http://192.168.1.20:4747/v1",
  alias: "coder",
  contextLength: 65_536,
  keyNeeded: true,
};
function textOf(id: string, changes: Partial<ConnectFacts> = {}): string {
  const client = clients.find((each) => each.id === id);
  if (client === undefined) throw new Error(`no client ${id}`);
  return client
    .snippets({ ...facts, ...changes })
    .map((snippet) => snippet.code)
    .join("\n");
}

describe("lines to paste", () => {
  it.each(clients.map((client) => client.id))("%s: address and alias are filled in, a key is not", (id) => {
    const text = textOf(id);
    expect(text).toContain(facts.endpoint);
    expect(text).toContain("coder");
    expect(text).not.toMatch(/lth_[0-9A-Za-z]/);
  });

  it.each(["curl", "qwen-code"])("%s: asks for no key where none is needed", (id) => {
    expect(textOf(id, { keyNeeded: false })).not.toContain("lth_");
  });

  it("opencode: the context of the box, and an answer that fits into it", () => {
    const config = clients.find((each) => each.id === "opencode")?.snippets(facts)[0]?.code ?? "";
    expect(JSON.parse(config)).toMatchObject({
      model: "lanthorn/coder",
      provider: {
        lanthorn: {
          npm: "@ai-sdk/openai-compatible",
          options: { baseURL: facts.endpoint, apiKey: "{env:LANTHORN_API_KEY}" },
          models: { coder: { limit: { context: 65_536, output: 16_384 } } },
        },
      },
    });
  });

  it("knows the addresses that reach only the machine they are typed on", () => {
    const names = ["localhost", "127.0.0.1", "[::1]", "box.localhost", "192.168.1.20", "atlas.local", "127x.example"];
    expect(names.map(isLoopback)).toEqual([true, true, true, true, false, false, false]);
    expect(endpointOf("http://127.0.0.1:4747")).toBe("http://127.0.0.1:4747/v1");
  });
});

describe.skipIf(process.platform === "win32")("the curl line, pasted into a shell", () => {
  it("arrives as it was meant, with quotes and spaces in the alias", async () => {
    const alias = `it's a "model" $HOME`;
    const line = textOf("curl", { endpoint: endpointOf("http://127.0.0.1:4747"), alias, keyNeeded: false });
    // The shell is what is tested; the client stands in, because not every machine has curl.
    const client = `curl() { while [ $# -gt 1 ]; do shift; done; printf %s "$1"; }\n${line}`;
    const { stdout } = await run("sh", ["-c", client]);
    expect(JSON.parse(stdout)).toEqual({ model: alias, stream: true, messages: [{ role: "user", content: "Hello" }] });
  });
});

describe("the certificate", () => {
  it("is shown with the line that saves it from this very address", () => {
    expect(certificateOf({ fingerprint: "AB:CD" }, "192.168.1.20:4747")).toEqual({
      fingerprint: "AB:CD",
      save: "openssl s_client -connect 192.168.1.20:4747 </dev/null | openssl x509 > lanthorn.crt",
    });
    expect(certificateOf({ fingerprint: "AB:CD" }, "box.example")?.save).toContain("-connect box.example:443 ");
  });

  it("is not there while the box encrypts nothing, or says nothing", () => {
    expect(certificateOf({ fingerprint: null }, "box:1")).toBeNull();
    expect(certificateOf({}, "box:1")).toBeNull();
    expect(certificateOf(undefined, "box:1")).toBeNull();
  });
});
