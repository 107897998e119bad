/**
 * Pictures of the page: `node test/e2e/screenshots.ts` takes `docs/images/first-light.png` again, of the real server on its
 * own port; `node test/e2e/screenshots.ts <folder>` takes a scripted box in all its states, wide and narrow, light and dark.
 * Needs `dist/renderer` and an installed Chrome or Chromium.
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { demoModel, type Script, type StubEndpoint, startStubEndpoint } from "../support/stub-endpoint.ts";
import { startServer } from "../support/running-server.ts";
import { stubCertificate } from "../support/certificates.ts";
import { findBrowser, launchBrowser, noBrowser } from "./browser.ts";

const coder = { id: "coder", context_length: 65_536, slots: 4, demo: false };
const widths = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const;

interface Scene {
  readonly name: string;
  readonly script: Partial<Script>;
  act?(page: Page, stub: StubEndpoint): Promise<void>;
}

const scenes: readonly Scene[] = [
  { name: "start", script: {} },
  { name: "answered", script: {}, act: (page) => chat(page, "Hello, who are you?") },
  { name: "admin", script: { models: [coder, demoModel], busy: 2 }, act: signInAsAdmin },
  { name: "empty", script: { models: [] } },
  {
    name: "failed",
    script: { chatFailure: { status: 503, message: '"lanthorn-demo" keeps crashing: it ended 3 times in 60 s.' } },
    act: (page) => chat(page, "Hello, who are you?"),
  },
  { name: "list-failed", script: { modelsFailure: { status: 500, message: "Something went wrong inside Lanthorn." } } },
  { name: "locked", script: { keyless: false } },
  { name: "running", script: { models: [coder, demoModel], tokenMs: 400 }, act: chatHalfway },
  { name: "encrypted", script: { tls: await stubCertificate(), models: [coder] } },
  { name: "gone", script: {}, act: (page, stub) => silence(page, stub) },
];

async function chat(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: /^Message/ }).fill(text);
  await page.keyboard.press("Enter");
  await page.locator("[data-answer]:not([data-answer=running])").waitFor();
}

async function chatHalfway(page: Page): Promise<void> {
  await page.getByRole("textbox", { name: /^Message/ }).fill("What can you do?\nTell me in a few words.");
  await page.keyboard.press("Enter");
  await page.getByText("I am the").waitFor();
}

async function silence(page: Page, stub: StubEndpoint): Promise<void> {
  await chat(page, "Hello, who are you?");
  await stub.close();
  await page.getByText("Live paused").waitFor();
}

async function signInAsAdmin(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Sign in as admin" }).click();
  await page.getByLabel("Key", { exact: true }).fill("lth_admin-of-the-stub");
  await page.keyboard.press("Enter");
  await page.getByText("Server memory").waitFor();
  await page.getByRole("tab", { name: "opencode" }).click();
}

interface Shot {
  readonly url: string;
  readonly file: string;
  readonly size: keyof typeof widths;
  readonly scheme: "light" | "dark";
  /** The whole page, not only what fits into the window. */
  readonly whole: boolean;
  act(page: Page): Promise<void>;
}

async function take(browser: Browser, shot: Shot): Promise<void> {
  const context = await browser.newContext({
    viewport: widths[shot.size],
    colorScheme: shot.scheme,
    ignoreHTTPSErrors: true,
  });
  try {
    const page = await context.newPage();
    await page.goto(shot.url);
    await page.getByRole("heading", { level: 1 }).filter({ hasNotText: "Looking" }).waitFor();
    await shot.act(page);
    await page.evaluate("document.activeElement?.blur()");
    await page.mouse.move(0, 0);
    await page.screenshot({ path: shot.file, fullPage: shot.whole });
    console.log(shot.file);
  } finally {
    await context.close();
  }
}

/** The picture of the README: the product itself, nothing scripted. */
async function firstLight(browser: Browser): Promise<void> {
  const file = fileURLToPath(new URL("../../docs/images/first-light.png", import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  const server = await startServer({ flags: ["--port", "4747"] });
  try {
    // The first question also loads the model, which is not what the picture is about.
    const act = async (page: Page) => {
      await chat(page, "Hello, who are you?");
      await page.getByRole("button", { name: "New chat" }).click();
      await chat(page, "Seven plus eight makes fifteen, surely?");
    };
    await take(browser, { url: server.url, file, size: "wide", scheme: "light", whole: false, act });
  } finally {
    await server.remove();
  }
}

async function allScenes(browser: Browser, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const scene of scenes) {
    for (const size of ["wide", "phone"] as const) {
      for (const scheme of ["light", "dark"] as const) {
        const stub = await startStubEndpoint({ tokenMs: 23, firstTokenMs: 120, ...scene.script });
        const file = join(folder, `${scene.name}-${size}-${scheme}.png`);
        const act = async (page: Page) => scene.act?.(page, stub);
        await take(browser, { url: stub.url, file, size, scheme, whole: true, act });
        await stub.close();
      }
    }
  }
}

const executable = findBrowser();
if (executable === null) {
  console.error(noBrowser);
  process.exit(1);
}
const browser = await launchBrowser(executable);
try {
  const folder = process.argv[2];
  await (folder === undefined ? firstLight(browser) : allScenes(browser, folder));
} finally {
  await browser.close();
}
