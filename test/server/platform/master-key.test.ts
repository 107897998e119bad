/** Where the master key comes from, and which files are believed. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openMasterKey } from "../../../server/platform/master-key.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const secret = Buffer.alloc(32, 7);

/** A folder as systemd hands it to a service, the key in it under the mode that `stat` shows. */
function credentials(mode: number): string {
  const folder = join(temporaryFolder(), "lanthorn.service");
  mkdirSync(folder, { mode: 0o700 });
  const file = join(folder, "lanthorn-master-key");
  writeFileSync(file, `${secret.toString("base64")}\n`);
  chmodSync(file, mode);
  return folder;
}

const opened = (folder: string) => openMasterKey({ environment: { CREDENTIALS_DIRECTORY: folder }, file: "/nowhere" });

// systemd gives the service's user read access by an ACL where the file system has ACLs (since 254 on a tmpfs, so on Ubuntu 24.04),
// and `stat` shows the mask of an ACL in the group's place: 0440 for a file that no group may read.
test.each(["400", "440"])("a credential of systemd is taken with mode %s", (mode) => {
  expect(Buffer.from(opened(credentials(Number.parseInt(mode, 8))))).toEqual(secret);
});

test.each(["404", "460", "644"])("a credential that anybody may read or a group may write is refused: %s", (mode) => {
  expect(() => opened(credentials(Number.parseInt(mode, 8)))).toThrow(
    expect.objectContaining({ code: "cannot_start", why: expect.stringContaining("Others may read it") }),
  );
});
