/** What a machine learns of itself from the variables of its market: which it is, with which key, and how it is reached. */
import { describe, expect, test } from "vitest";
import { publicPlace, wholeLimit } from "../../../../server/domain/rental/public-place.ts";
import { accountKeyVariables, readThisRental } from "../../../../server/domain/rental/this-rental.ts";

const unset = { market: "", instanceId: "" } as const;
const vast = {
  CONTAINER_ID: "12345678",
  CONTAINER_API_KEY: "of this machine alone",
  VAST_CONTAINERLABEL: "C.12345678",
  PUBLIC_IPADDR: "203.0.113.7",
  VAST_TCP_PORT_4747: "40123",
};
const runpod = {
  RUNPOD_POD_ID: "abc123def",
  RUNPOD_API_KEY: "of this machine alone",
  RUNPOD_PUBLIC_IP: "203.0.113.9",
  RUNPOD_TCP_PORT_4747: "18022",
};

describe("which rental this is", () => {
  test("the markets' own variables say it", () => {
    expect(readThisRental(unset, vast)).toEqual({
      market: "vast",
      instanceId: "12345678",
      keyVariable: "CONTAINER_API_KEY",
    });
    expect(readThisRental(unset, runpod)).toEqual({
      market: "runpod",
      instanceId: "abc123def",
      keyVariable: "RUNPOD_API_KEY",
    });
  });

  test("the settings win, and Vast's label holds the number too", () => {
    expect(readThisRental({ market: "vast", instanceId: "77" }, vast)?.instanceId).toBe("77");
    expect(readThisRental(unset, { VAST_CONTAINERLABEL: "C.55" })).toEqual({
      market: "vast",
      instanceId: "55",
      keyVariable: null,
    });
    expect(readThisRental({ market: "runpod", instanceId: "" }, {})).toEqual({
      market: "runpod",
      instanceId: null,
      keyVariable: null,
    });
  });

  test("a machine of one's own is none, also when a container has a number", () => {
    expect(readThisRental(unset, {})).toBeNull();
    expect(readThisRental(unset, { CONTAINER_ID: "4" })).toBeNull();
    expect(readThisRental(unset, { RUNPOD_POD_ID: " " })).toBeNull();
  });

  test("keys of a whole account are seen by their names, and machines' own are none", () => {
    const environment = { ...vast, ...runpod, VAST_API_KEY: "x", LANTHORN_MARKET_VAST_KEY: "y", VASTAI_API_KEY: "" };
    expect(accountKeyVariables(environment)).toEqual(["VAST_API_KEY", "LANTHORN_MARKET_VAST_KEY"]);
  });
});

describe("how it is reached from outside", () => {
  const at = { port: 4747, scheme: "http", stated: "" } as const;

  test("Vast.ai: its address and the port it maps", () => {
    expect(publicPlace({ ...at, market: "vast", environment: vast })).toEqual({
      urls: ["http://203.0.113.7:40123"],
      hosts: ["203.0.113.7"],
    });
    expect(publicPlace({ ...at, scheme: "https", market: "vast", environment: vast }).urls).toEqual([
      "https://203.0.113.7:40123",
    ]);
  });

  test("RunPod: a mapped port, and its proxy, which speaks plain HTTP to the machine", () => {
    expect(publicPlace({ ...at, market: "runpod", environment: runpod })).toEqual({
      urls: ["http://203.0.113.9:18022", "https://abc123def-4747.proxy.runpod.net"],
      hosts: ["203.0.113.9", "abc123def-4747.proxy.runpod.net"],
    });
    expect(publicPlace({ ...at, scheme: "https", market: "runpod", environment: runpod }).urls).toEqual([
      "https://203.0.113.9:18022",
    ]);
  });

  test("what was stated comes first; another port, or no port, is no address", () => {
    const stated = { ...at, stated: "https://gpu.example:8443/" };
    expect(publicPlace({ ...stated, market: "vast", environment: vast })).toEqual({
      urls: ["https://gpu.example:8443", "http://203.0.113.7:40123"],
      hosts: ["gpu.example", "203.0.113.7"],
    });
    expect(publicPlace({ ...at, port: 5000, market: "vast", environment: vast }).urls).toEqual([]);
    expect(publicPlace({ ...stated, market: null, environment: vast }).urls).toEqual(["https://gpu.example:8443"]);
  });

  test.each([
    [{ PUBLIC_IPADDR: "203.0.113.7/evil", VAST_TCP_PORT_4747: "1" }],
    [{ PUBLIC_IPADDR: "203.0.113.7", VAST_TCP_PORT_4747: "70000" }],
    [{ PUBLIC_IPADDR: "203.0.113.7", VAST_TCP_PORT_4747: "" }],
    [{ PUBLIC_IPADDR: "", VAST_TCP_PORT_4747: "40123" }],
  ])("nonsense is no address: %j", (environment) => {
    expect(publicPlace({ ...at, market: "vast", environment })).toEqual({ urls: [], hosts: [] });
  });

  test("an IPv6 address stands in brackets in an address and without them as a name", () => {
    const environment = { PUBLIC_IPADDR: "2001:db8::7", VAST_TCP_PORT_4747: "40123" };
    expect(publicPlace({ ...at, market: "vast", environment })).toEqual({
      urls: ["http://[2001:db8::7]:40123"],
      hosts: ["2001:db8::7"],
    });
  });
});

test("answers in one piece have a limit behind RunPod's proxy only, unless it is set", () => {
  expect(wholeLimit("auto", "abc123def-4747.proxy.runpod.net")).toBe(95_000);
  expect(wholeLimit("auto", "ABC-4747.proxy.runpod.net:443")).toBe(95_000);
  expect(wholeLimit("auto", "203.0.113.9:18022")).toBeNull();
  expect(wholeLimit("auto", "proxy.runpod.net.example")).toBeNull();
  expect(wholeLimit("auto", undefined)).toBeNull();
  expect(wholeLimit(0, "abc-4747.proxy.runpod.net")).toBeNull();
  expect(wholeLimit(30_000, "203.0.113.9:18022")).toBe(30_000);
});
