/** `lanthorn config show`: values and where they came from. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

test("with no server: file, environment and defaults of the next start", async () => {
  const home = temporaryFolder();
  writeFileSync(join(home, "lanthorn.yaml"), "engine:\n  slots: 2 # a small box\n");
  const environment = { LANTHORN_HOME: home, LANTHORN_PORT: "5000" };
  const { code, stdout, stderr } = await lanthorn(["config", "show"], { environment });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^port +5000 +environment LANTHORN_PORT$/mu);
  expect(stdout).toMatch(/^engine\.slots +2 +file$/mu);
  expect(stdout).toMatch(/^host +127\.0\.0\.1 +default$/mu);
  expect(stderr).toContain(join(home, "lanthorn.yaml"));
});

test("of the running server, which may have been started with flags", async () => {
  const settings = [
    {
      path: "host",
      value: "0.0.0.0",
      origin: "flag --lan",
      meaning: "Address to listen on",
      variable: "LANTHORN_HOST",
    },
  ];
  const stub = await startAdminStub({ "GET /admin/config": settings });
  const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
  expect((await lanthorn(["config", "show"], { environment })).stdout).toBe(
    "SETTING  VALUE    FROM\nhost     0.0.0.0  flag --lan\n",
  );
  expect(JSON.parse((await lanthorn(["config", "show", "--json"], { environment })).stdout)).toEqual(settings);
});

test("one section says what its settings mean", async () => {
  const environment = { LANTHORN_HOME: temporaryFolder() };
  const { stdout } = await lanthorn(["config", "show", "log"], { environment });
  expect(stdout).toBe("SETTING    VALUE  FROM     MEANS\nlog.level  info   default  Least serious line written\n");
});

test("a setting that does not exist is exit 5, with the nearest one", async () => {
  const environment = { LANTHORN_HOME: temporaryFolder() };
  const { code, stdout, stderr } = await lanthorn(["config", "show", "engine.slot", "--json"], { environment });
  expect({ code, stdout }).toEqual({ code: 5, stdout: "" });
  expect(JSON.parse(stderr).error.next).toEqual(["lanthorn config show engine.slots"]);
});

test("settings that cannot be read are exit 78, and name the line", async () => {
  const home = temporaryFolder();
  writeFileSync(join(home, "lanthorn.yaml"), "port: 4747\nengine:\n  slots: many\n");
  const { code, stderr } = await lanthorn(["config", "show"], { environment: { LANTHORN_HOME: home } });
  expect(code).toBe(78);
  expect(stderr).toMatch(/^error .*lanthorn\.yaml, line 3/mu);
  expect(stderr).toMatch(/^why {4}engine\.slots /mu);
});
