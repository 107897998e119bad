// @ts-check
/**
 * `node build/rental/stop-machine.js vast|runpod`: stops the rented machine it runs on, with the key that the market gives inside it and
 * that is good for this machine only. Called by start.sh when nothing can be served; the server has its own switch for the rest. Plain
 * JavaScript with `node:` imports only, so that it works where Lanthorn itself does not start.
 */

/** A market that is asked about one machine answers within seconds. */
const answerLimitMs = 20_000;
const tries = 3;
const pauseMs = 2_000;

/** @typedef {{ method: string, url: string, key: string, body: unknown }} Call */

/**
 * The call that stops this machine, or null where the market did not say which it is.
 * @param {string} market
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Call | null}
 */
export function callFor(market, environment) {
  const base = environment.LANTHORN_MARKET_URL;
  if (market === "vast") {
    const { CONTAINER_ID: id = "", CONTAINER_API_KEY: key = "" } = environment;
    if (!/^\d+$/.test(id) || key === "") return null;
    const url = `${base ?? "https://console.vast.ai/api/v0"}/instances/${id}/`;
    return { method: "PUT", url, key, body: { state: "stopped" } };
  }
  if (market === "runpod") {
    const { RUNPOD_POD_ID: id = "", RUNPOD_API_KEY: key = "" } = environment;
    if (!/^[\w-]+$/.test(id) || key === "") return null;
    return {
      method: "POST",
      url: `${base ?? "https://api.runpod.io/v2"}/pods/${id}/action`,
      key,
      body: { action: "stop" },
    };
  }
  return null;
}

/** What became of it, in words without the key. @param {Call} call @returns {Promise<{ done: boolean, words: string }>} */
async function make({ method, url, key, body }) {
  const { host } = new URL(url);
  try {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(answerLimitMs),
    });
    if (response.ok)
      return {
        done: true,
        words: `${host} stops this machine. Its disk is kept, and paid for, until it is destroyed.`,
      };
    return { done: false, words: `${host} did not stop this machine: it answered ${response.status}.` };
  } catch (error) {
    return {
      done: false,
      words: `${host} did not stop this machine: ${error instanceof Error ? error.message : "no answer"}.`,
    };
  }
}

async function main() {
  const call = callFor(process.argv[2] ?? "", process.env);
  if (call === null) {
    console.error(
      "lanthorn-start: the market left no number and key of this machine here: stop it by hand, it costs money.",
    );
    return 1;
  }
  for (let left = tries; left > 0; left--) {
    const { done, words } = await make(call);
    console.error(`lanthorn-start: ${words}`);
    if (done) return 0;
    if (left > 1) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  console.error("lanthorn-start: stop it by hand, it costs money.");
  return 1;
}

if (import.meta.main) process.exitCode = await main();
