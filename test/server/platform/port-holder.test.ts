/** Who has a port, and how it is said. */
import { expect, test } from "vitest";
import { portTaken } from "../../../server/platform/listen.ts";
import { listeningInodes, programText } from "../../../server/platform/port-holder.ts";

const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:128B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0000000000000000 100 0 0 10 0
   1: 0100007F:128B 0100007F:9000 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1 0000000000000000 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17 1 0000000000000000 100 0 0 10 0
`;

test("the sockets that listen on a port are found in the kernel's table, connections are not", () => {
  expect(listeningInodes(table, 4747)).toEqual(["4242"]);
  expect(listeningInodes(table, 22)).toEqual(["17"]);
  expect(listeningInodes(table, 80)).toEqual([]);
  expect(listeningInodes("", 80)).toEqual([]);
});

test("a taken port is said with whatever is known of its holder", () => {
  const said = (box: string | null, pid: number | null, name: string | null) => {
    const { why, next } = portTaken(new Error("in use"), "0.0.0.0", 4747, { box, pid, name }, "aaaaaaaaaaaa");
    return { why, next };
  };
  expect(said(null, null, null).why).toBe("another program listens there");
  expect(said(null, 4711, "nginx")).toEqual({
    why: '"nginx" (process 4711) listens there',
    next: ["lanthorn serve --port 4748"],
  });
  expect(said("bbbbbbbbbbbb", 4711, "node").why).toBe("a Lanthorn of another data folder serves there (process 4711)");
  expect(said("aaaaaaaaaaaa", null, null)).toEqual({
    why: "a Lanthorn of this data folder serves there",
    next: ["lanthorn stop"],
  });
  expect(programText({ pid: 1, name: null })).toBe("process 1");
});
