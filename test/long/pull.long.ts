/** A pull of 256 MiB with ten cuts and two kills, and its figures. */
import { expect, test } from "vitest";
import { pullTorture } from "../support/pull-torture.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const mebibyte = 1 << 20;

test("a pull of 256 MiB with ten cuts and two kill -9", async () => {
  const result = await pullTorture({
    folder: temporaryFolder(),
    bytes: 256 * mebibyte,
    cuts: 10,
    kills: 2,
    bytesPerSecond: 40 * mebibyte,
  });
  const { fileBytes, servedBytes, twiceBytes, allowedBytes } = result;
  const share = ((twiceBytes / fileBytes) * 100).toFixed(2);
  console.log(
    `file ${fileBytes}, served ${servedBytes}, twice ${twiceBytes} (${share} %), allowed ${Math.floor(allowedBytes)}, ` +
      `${result.cut} cuts, ${result.killed} kills, token seen by ${result.tokenHosts.join()} of ${result.askedHosts.join()}`,
  );
  expect(result).toMatchObject({ exitCode: 0, killed: 2, cut: 10, isVerified: true, modelsAtKills: [] });
  expect(result.tokenHosts).toEqual([result.hubHost]);
  expect(result.askedHosts.length).toBeGreaterThan(1);
  expect(twiceBytes).toBeGreaterThanOrEqual(0);
  expect(twiceBytes).toBeLessThanOrEqual(allowedBytes);
});
