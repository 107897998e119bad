/** When a key shall end, as people write it. */
import { expect, test } from "vitest";
import { expiryMs, parseExpiry } from "../../../server/cli/expiry.ts";

test.each([
  ["12h", 43_200_000],
  ["30d", 2_592_000_000],
  ["8w", 4_838_400_000],
])("%s counts from now", (text, ms) => {
  const expiry = parseExpiry(text);
  expect(expiry === null ? null : expiryMs(expiry, 1000)).toBe(1000 + ms);
});

test("a day is good to its end", () => {
  const expiry = parseExpiry("2027-01-12");
  expect(expiry === null ? null : new Date(expiryMs(expiry, 0))).toEqual(new Date(2027, 0, 13));
});

test.each(["", "30", "0d", "30 days", "-1d", "2027-02-30", "2027-13-01", "12.01.2027", "1e9d", "999999d"])(
  "%j is none",
  (text) => expect(parseExpiry(text)).toBeNull(),
);
