/**
 * What whoever plays the world around a stand-in market may do to it, by POST to `/control/<what>[/<id>]` with a JSON body; `state` tells all
 * it knows. Needs no key: it listens on loopback only.
 */
import type { House, Offer, State } from "./rented.ts";
import type { Said } from "./stand-in.ts";

const states: ReadonlySet<string> = new Set<State>([
  ...(["scheduling", "loading", "running", "frozen", "stopped", "exited", "offline", "gone"] as const),
]);

export function control(house: House, path: string, body: Record<string, unknown>): Said {
  const [what = "", id = ""] = path.split("/");
  const one = house.find(id);
  const offer = house.offers.find((each) => each.id === id);
  switch (what) {
    case "state":
      return { status: 200, body: stateOf(house) };
    case "advance":
      house.advance(Number(body.ms ?? 0));
      return { status: 200, body: { nowMs: house.now() } };
    case "fault":
      house.faults.set(id, Number(body.times ?? 1));
      if (body.times === 0) house.faults.delete(id);
      break;
    case "offers":
      if (offer === undefined) return no("no such offer");
      house.change(offer, body as Partial<Offer>);
      break;
    case "outbid":
    case "resume":
    case "host-offline":
    case "set":
    case "traffic":
      if (one === undefined) return no("no such instance");
      if (what === "outbid") house.outbid(one);
      else if (what === "resume") house.resume(one);
      else if (what === "host-offline") house.set(one, "offline", "host does not answer");
      else if (what === "traffic") house.traffic(one, Number(body.bytes ?? 0));
      else if (states.has(String(body.state))) house.set(one, String(body.state) as State, String(body.words ?? ""));
      else return no("no such state");
      break;
    default:
      return no("no such control");
  }
  return { status: 200, body: { ok: true } };
}

function no(error: string): Said {
  return { status: 404, body: { error } };
}

function stateOf(house: House): unknown {
  const rented = house.rented.map(({ offer, ...rest }) => ({ ...rest, offer: offer.id, bill: house.bill(rest.id) }));
  const { offers, calls } = house;
  return { nowMs: house.now(), totalNanos: house.totalNanos(), faults: [...house.faults], offers, rented, calls };
}
