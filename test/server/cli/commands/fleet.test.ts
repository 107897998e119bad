/** `lanthorn fleet find`: what it says. That boxes are heard is tested beside `platform/lan`. */
import { expect, test } from "vitest";
import { boxesText } from "../../../../server/cli/commands/fleet.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { lanthorn } from "../run-command.ts";

const fingerprint = ("AB".repeat(32).match(/../g) ?? []).join(":");
const atlas = {
  name: "atlas",
  version: "0.1.0",
  fingerprint,
  keyNeeded: true,
  url: "https://192.168.1.20:4747",
  address: "192.168.1.20",
  port: 4747,
  here: false,
};

test("each box has a line, and the next step is ready to paste", () => {
  const here = { ...atlas, name: "own", url: "http://192.168.1.7:4747", fingerprint: null, here: true };
  expect(boxesText([here, atlas]).split("\n")).toEqual([
    "NAME        ADDRESS                    VERSION  KEY     CERTIFICATE (SHA-256)",
    "own (here)  http://192.168.1.7:4747    0.1.0    needed  none: not encrypted",
    `atlas       https://192.168.1.20:4747  0.1.0    needed  ${fingerprint}`,
    "",
    "Anybody on the network can announce anything: compare the certificate with what the box itself shows.",
    `next   export LANTHORN_URL=https://192.168.1.20:4747 LANTHORN_FINGERPRINT=${fingerprint} LANTHORN_API_KEY=<key>`,
  ]);
});

test.each([
  ["--timeout", "soon"],
  ["--timeout", "0"],
  ["--timeout", "1000"],
])("%s %s is wrong usage", async (...flags) => {
  const outcome = await lanthorn(["fleet", "find", ...flags], { environment: { LANTHORN_HOME: temporaryFolder() } });
  expect(outcome).toMatchObject({ code: 2, stdout: "" });
});
