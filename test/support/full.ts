/**
 * Whether the dear tests run too: `npm test` keeps under eight minutes on two cores and has one example of each kind,
 * `npm run test:long` runs these files again with all of them.
 */
export const full = process.env.LANTHORN_TEST_FULL === "1";
