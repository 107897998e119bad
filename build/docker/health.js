// @ts-check
/**
 * The container's HEALTHCHECK: asks the server of the data folder whether it is alive, and ends with status 0 or 1. Plain JavaScript
 * with `node:` imports only, so that it starts in tens of milliseconds and needs no curl in the image.
 */
import { readFileSync } from "node:fs";
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { join } from "node:path";

/** Below the time that Docker gives it. */
const answerLimitMs = 4_000;

/** @param {string} why @returns {never} */
function unhealthy(why) {
  console.log(why);
  process.exit(1);
}

const home = process.env.LANTHORN_HOME || unhealthy("LANTHORN_HOME is not set.");
/** @type {string} */
let url;
try {
  ({ url } = JSON.parse(readFileSync(join(home, "server.json"), "utf8")));
} catch {
  unhealthy("No server has said where it is yet.");
}
const get = url.startsWith("https:") ? httpsGet : httpGet;
// Only a status is asked for, of this container's own port: a certificate the box made for itself is as good as none.
const options = { agent: false, rejectUnauthorized: false, signal: AbortSignal.timeout(answerLimitMs) };
get(`${url}/health`, options, (response) => {
  if (response.statusCode !== 200) unhealthy(`/health answered ${response.statusCode}.`);
  process.exit(0);
}).on("error", (error) => unhealthy(`/health did not answer: ${error.message}`));
