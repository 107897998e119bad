/**
 * The page in a real Chromium: against the real server where the whole way counts, against a scripted box where a situation
 * is wanted that the real one cannot be brought into at will. Needs `dist/renderer`, which `npm test` builds.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, startServer } from "../support/running-server.ts";
import { full } from "../support/full.ts";
import {
  demoModel,
  demoSentence,
  type Script,
  type StubEndpoint,
  startStubEndpoint,
} from "../support/stub-endpoint.ts";
import { stubCertificate } from "../support/certificates.ts";
import { findBrowser, launchBrowser, noBrowser } from "./browser.ts";

const executable = findBrowser();
const coder = { id: "coder", context_length: 65_536, slots: 4, demo: false };
const phone = { width: 390, height: 844 };
const wide = { width: 1280, height: 900 };

let browser: Browser;
const contexts: BrowserContext[] = [];

/** A fresh visitor. What the browser asks of the network, and what breaks the page's policy, is written down. */
async function visit(url: string, options: BrowserContextOptions = {}) {
  const context = await browser.newContext({ viewport: wide, ...options });
  contexts.push(context);
  const page = await context.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  network.on("Network.requestWillBeSent", ({ request }) => asked.push(request.url));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (/content security policy|violates/i.test(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  await page.getByRole("heading", { level: 1 }).filter({ hasNotText: "Looking" }).waitFor();
  /** Addresses outside the box: there must be none, ever. */
  const outside = () => asked.filter((address) => !address.startsWith(`${url}/`));
  return { context, page, asked, outside, complaints };
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: /^Message to/ }).fill(text);
  await page.keyboard.press("Enter");
}

/** The newest answer once it has ended, in the state the page shows it in. */
function ended(page: Page, state: "done" | "stopped" | "failed") {
  return page.locator(`[data-answer=${state}]`).last();
}

async function sidewaysScroll(page: Page): Promise<number> {
  return page.evaluate<number>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

async function faults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)}`));
}

/** Every look of one situation: both widths, both colour schemes. */
async function lookFromAllSides(page: Page): Promise<void> {
  for (const viewport of [wide, phone]) {
    for (const colorScheme of ["light", "dark"] as const) {
      // The narrow and dark one, which fails first; in full, every pair.
      if (!full && (viewport === wide || colorScheme === "light")) continue;
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      const look = `${viewport.width} px, ${colorScheme}`;
      // Colours change over 120 ms; halfway they have no contrast that anybody sees.
      await page.evaluate("Promise.allSettled(document.getAnimations().map((one) => one.finished)).then(() => null)");
      expect(await sidewaysScroll(page), look).toBe(0);
      expect(await faults(page), look).toEqual([]);
    }
  }
}

describe.skipIf(executable === null)(`the page in a browser${executable === null ? `: ${noBrowser}` : ""}`, () => {
  beforeAll(async () => {
    browser = await launchBrowser(executable ?? "");
  });
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  afterAll(() => browser.close());

  describe("of a box that serves the demo", () => {
    let server: RunningServer;
    beforeAll(async () => {
      server = await startServer();
    });
    afterAll(() => server.remove());

    it("streams the demo's sentence, says how fast it was, and asks nobody else for anything", async () => {
      const { page, outside, complaints } = await visit(server.url);
      expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("This box serves lanthorn-demo.");
      expect(await page.getByText("tiny demo, it never answers for another model").count()).toBe(1);
      await say(page, "Who are you?");
      const answer = ended(page, "done");
      await answer.waitFor();
      expect(await answer.textContent()).toContain(demoSentence);
      const figures = await page.locator("[data-figures]").textContent();
      expect(figures).toMatch(
        /^local · lanthorn-demo · first token [\d.]+ m?s · (over )?[\d.,]+( K)? tok\/s · [\d,]+ in( \([\d,]+ cached\))? \/ \d+ out · not yet priced$/,
      );
      expect(figures).not.toMatch(/[ ·]0(\.0)? tok/);
      await lookFromAllSides(page);
      expect(outside()).toEqual([]);
      expect(complaints).toEqual([]);
    });

    it("S-17 Esc ends the answer on the box too: the slot is free at once and the row says aborted", async () => {
      const { page } = await visit(server.url);
      // The demo would stop by itself; this one goes on until its context is full.
      await page.route("**/v1/chat/completions", (route) =>
        route.continue({ postData: JSON.stringify({ ...route.request().postDataJSON(), ignore_eos: true }) }),
      );
      const response = page.waitForResponse("**/v1/chat/completions");
      await say(page, "Who are you?");
      await page.locator("[data-answer=running]", { hasText: "Hello" }).waitFor();
      await page.keyboard.press("Escape");
      await ended(page, "stopped").waitFor();
      expect(await ended(page, "stopped").textContent()).toContain("Stopped by you.");
      expect(await page.getByRole("button", { name: "Send" }).count()).toBe(1);

      const id = (await response).headers()["x-request-id"] ?? "";
      const deadline = performance.now() + 5_000;
      let row: { status?: string } = {};
      while (row.status !== "aborted" && performance.now() < deadline) {
        row = JSON.parse((await server.command("usage", "show", id, "--json")).stdout || "{}");
      }
      expect(row).toMatchObject({ id, status: "aborted" });
      const key = (await readFile(join(server.home, "admin.key"), "utf8")).trim();
      const state = await fetch(`${server.url}/admin/state`, { headers: { authorization: `Bearer ${key}` } });
      const { models } = (await state.json()) as { models: { slots: { state: string }[] }[] };
      const slots = models.flatMap((model) => model.slots);
      expect(slots.length).toBeGreaterThan(0);
      expect(slots.filter((slot) => slot.state !== "idle")).toEqual([]);
    });

    it("shows the live state to the admin, and keeps the key nowhere", async () => {
      const key = (await readFile(join(server.home, "admin.key"), "utf8")).trim();
      const { page, context, asked, complaints } = await visit(server.url);
      await page.getByRole("button", { name: "Sign in as admin" }).click();
      await page.getByLabel("Key", { exact: true }).fill("lth_notakey");
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.getByRole("alert").filter({ hasText: /key/i }).waitFor();
      await page.getByLabel("Key", { exact: true }).fill(key);
      await page.keyboard.press("Enter");
      await page.getByRole("region", { name: "Live state" }).waitFor();
      expect(await page.getByRole("region", { name: "Live state" }).textContent()).toMatch(/0 of \d+ slots.*\d+ MiB/);

      const stored = await page.evaluate<string>(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])",
      );
      expect(stored + (await page.content()) + asked.join()).not.toContain(key);
      const [cookie] = await context.cookies();
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
      expect(cookie?.value).not.toContain(key);

      await lookFromAllSides(page);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("button", { name: "Sign in as admin" }).waitFor();
      expect(complaints).toEqual([]);
    });
  });

  describe("of a scripted box", () => {
    const stubs: StubEndpoint[] = [];
    async function box(script: Partial<Script> = {}): Promise<StubEndpoint> {
      const stub = await startStubEndpoint(script);
      stubs.push(stub);
      return stub;
    }
    afterEach(async () => {
      await Promise.all(stubs.splice(0).map((stub) => stub.close()));
    });

    it.each<[string, Partial<Script>, string]>([
      ["two models", { models: [coder, demoModel] }, "This box serves coder and lanthorn-demo."],
      ["no model", { models: [] }, "No model is served yet."],
      [
        "a list that fails",
        { modelsFailure: { status: 500, message: "Broken." } },
        "The box answers, but not with its models.",
      ],
      ["a locked box", { keyless: false }, "This box asks for a key."],
    ])("S-38 looks right from all sides: %s", async (_, script, sentence) => {
      const stub = await box(script);
      const { page, outside, complaints } = await visit(stub.url);
      await page.getByRole("heading", { level: 1, name: sentence }).waitFor();
      await lookFromAllSides(page);
      expect(outside()).toEqual([]);
      expect(complaints).toEqual([]);
    });

    it("S-38 an encrypted box shows its certificate's fingerprint where clients are connected", async () => {
      const tls = await stubCertificate();
      const stub = await box({ tls });
      const { page, outside, complaints } = await visit(stub.url, { ignoreHTTPSErrors: true });
      const connect = page.getByRole("region", { name: "Connect a client" });
      await connect.getByText(tls.fingerprint, { exact: true }).waitFor();
      await connect.getByText(`openssl s_client -connect ${new URL(stub.url).host} `).waitFor();
      await lookFromAllSides(page);
      expect(outside()).toEqual([]);
      expect(complaints).toEqual([]);
      const plain = await visit((await box()).url);
      await plain.page.getByRole("region", { name: "Connect a client" }).getByText("OpenAI endpoint").waitFor();
      await plain.page.getByText("Lanthorn 0.1.0").waitFor();
      expect(await plain.page.getByText("Certificate, SHA-256").count()).toBe(0);
    });

    it("S-38 shows hostile output of a model as text: nothing runs, nothing is fetched", async () => {
      const hostile = [
        '<img src="https://example.org/a.png" onerror="document.title=1">',
        "<script>document.title='owned'</script><svg onload=alert(1)>",
        "![x](https://example.org/b.png) [y](javascript:alert(1))",
        "\u001b[31mred\u001b[0m \u202Egnp.exe",
        "x".repeat(5_000),
      ];
      const stub = await box({ reply: hostile.map((line) => `${line}\n`), tokenMs: 1 });
      const { page, outside, complaints } = await visit(stub.url);
      await say(page, "<b>bold</b>");
      await ended(page, "done").waitFor();
      const text = (await ended(page, "done").textContent()) ?? "";
      for (const line of hostile) expect(text).toContain(line);
      expect(await page.locator("[role=log] :is(img, script, a, b, svg[onload])").count()).toBe(0);
      expect(await page.title()).toBe("Ready · Lanthorn");
      await lookFromAllSides(page);
      expect(outside()).toEqual([]);
      expect(complaints).toEqual([]);
    });

    it("says a refusal in the server's own words with its request id, and asks again when told to", async () => {
      const message = '"lanthorn-demo" is full: 32 requests are waiting. Please try again in 12s.';
      const stub = await box({ chatFailure: { status: 429, message } });
      const { page } = await visit(stub.url);
      await say(page, "Hello");
      const answer = ended(page, "failed");
      await answer.waitFor();
      expect(await answer.textContent()).toMatch(
        /is full: 32 requests are waiting\. Please try again in 12s\.Request req_stub\d+/,
      );
      await lookFromAllSides(page);
      stub.script.chatFailure = null;
      await page.setViewportSize(wide);
      await answer.getByRole("button", { name: "Try again" }).click();
      await ended(page, "done").waitFor();
      // The question that was refused is not sent twice in one conversation.
      expect(stub.chats.at(-1)).toMatchObject({ messages: [{ role: "user", content: "Hello" }] });
    });

    it.each([
      ["cut", "The answer broke off: the stream ended before its end."],
      ["error", "The worker ended while it held this request."],
    ] as const)("keeps what was said when the stream breaks (%s), and says why it stopped", async (how, message) => {
      const stub = await box({ breakAfter: { tokens: 4, how } });
      const { page } = await visit(stub.url);
      await say(page, "Hello");
      await ended(page, "failed").waitFor();
      const text = await ended(page, "failed").textContent();
      expect(text).toContain("Hello! I am the");
      expect(text).toContain(message);
      expect(text).toContain("Request req_stub");
    });

    it("stops with Esc from wherever the focus is, and leaves at once", async () => {
      const stub = await box({ tokenMs: 200 });
      const { page } = await visit(stub.url);
      await say(page, "Hello");
      await page.locator("[data-answer=running]", { hasText: "Hello!" }).waitFor();
      expect(await page.title()).toBe("Answering · Lanthorn");
      await page.getByRole("tab", { name: "Python" }).click();
      await page.keyboard.press("Escape");
      await ended(page, "stopped").waitFor();
      await expect.poll(() => stub.aborted(), { timeout: 5_000 }).toBe(1);
      await say(page, "And now?");
      // What was said before the stop is part of the conversation.
      await expect.poll(() => stub.chats.length, { timeout: 5_000 }).toBe(2);
      expect(stub.chats.at(-1)).toMatchObject({
        messages: [{ content: "Hello" }, { role: "assistant" }, { content: "And now?" }],
      });
    });

    it("greys within seconds when the box goes silent, says since when, and comes back by itself", async () => {
      const stub = await box();
      const { page, complaints } = await visit(stub.url);
      await say(page, "Hello");
      await ended(page, "done").waitFor();
      const port = Number(new URL(stub.url).port);
      await stub.close();
      stubs.length = 0;
      await page.getByText(/^Live paused, last update \d+ s ago\./).waitFor({ timeout: 25_000 });
      expect(await page.title()).toBe("No answer · Lanthorn");
      await lookFromAllSides(page);
      stubs.push(await startStubEndpoint({}, port));
      await page
        .getByRole("heading", { level: 1, name: "This box serves lanthorn-demo." })
        .waitFor({ timeout: 25_000 });
      // What was said is still there.
      expect(await ended(page, "done").textContent()).toContain(demoSentence);
      expect(complaints).toEqual([]);
    });

    it("opens with a key, says so when it is wrong, and closes again", async () => {
      const stub = await box({ keyless: false });
      const { page } = await visit(stub.url);
      await page.getByLabel("Key", { exact: true }).fill("lth_wrong");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").filter({ hasText: "Unknown key." }).waitFor();
      await page.getByLabel("Key", { exact: true }).fill("lth_member-of-the-stub");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "This box serves lanthorn-demo." }).waitFor();
      await say(page, "Hello");
      await ended(page, "done").waitFor();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("heading", { level: 1, name: "This box asks for a key." }).waitFor();
      expect(await page.locator("[data-answer]").count()).toBe(0);
    });

    it("fills the lines to paste with the picked model, and copies them, also where the browser has no clipboard of its own", async () => {
      const stub = await box({ models: [coder, demoModel] });
      const { page } = await visit(stub.url, { permissions: ["clipboard-read", "clipboard-write"] });
      await page.getByRole("region", { name: "Connect a client" }).getByLabel("Model").selectOption("lanthorn-demo");
      const copy = page.getByRole("button", { name: "Copy: In a terminal" });
      const field = page.getByRole("textbox", { name: "Message to lanthorn-demo" });
      const pasted = async () => {
        await field.fill("");
        await field.focus();
        await page.keyboard.press("ControlOrMeta+V");
        return field.inputValue();
      };
      for (const clipboard of ["its own", "none"]) {
        await page.evaluate("navigator.clipboard.writeText('before')");
        expect(await pasted()).toBe("before");
        // Over plain http from another machine browsers have none.
        if (clipboard === "none")
          await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
        await copy.click();
        await expect.poll(pasted, { timeout: 5_000 }).toContain(`curl -N ${stub.url}/v1/chat/completions`);
        expect(await field.inputValue(), clipboard).toContain('"model": "lanthorn-demo"');
      }
    });

    it("is used by keyboard alone, and always shows where the focus is", async () => {
      const stub = await box({ models: [coder, demoModel] });
      const { page } = await visit(stub.url);
      const seen = new Set<string>();
      for (let step = 0; step < 40; step += 1) {
        await page.keyboard.press("Tab");
        const here = await page.evaluate<{ name: string; outline: string } | null>(`(() => {
          const element = document.activeElement;
          if (element === null || element === document.body) return null;
          const name = element.getAttribute("aria-label") || element.textContent || element.tagName;
          return { name, outline: getComputedStyle(element).outlineStyle };
        })()`);
        if (here === null) break;
        expect(here.outline, here.name).toBe("solid");
        seen.add(here.name);
      }
      for (const name of ["Skip to the chat", "Copy the endpoint", "Conversation", "Message to coder", "curl"]) {
        expect([...seen]).toContain(name);
      }
      await page.getByRole("tab", { name: "curl" }).focus();
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("Enter");
      await page.getByRole("tabpanel", { name: "JavaScript" }).waitFor();
    });

    it("remembers the chosen colours and shows them from the first paint", async () => {
      const stub = await box();
      const { page } = await visit(stub.url, { colorScheme: "light" });
      const ground = () => page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      expect(await ground()).toBe("rgb(250, 249, 246)");
      await page.getByRole("button", { name: "Colours: as the system" }).click();
      await page.getByRole("button", { name: "Colours: light" }).click();
      await page.getByRole("button", { name: "Colours: dark" }).waitFor();
      expect(await ground()).toBe("rgb(17, 20, 24)");
      await page.reload({ waitUntil: "commit" });
      await page.locator("html.dark").waitFor({ state: "attached" });
      await page.getByRole("button", { name: "Colours: dark" }).click();
      expect(await ground()).toBe("rgb(250, 249, 246)");
    });
  });
});
