/** One page of a list as OpenAI's API gives it. Pure; shared by the lists we serve. */
import { badField } from "./field-failure.ts";

export interface Page<Item> {
  readonly object: "list";
  readonly data: readonly Item[];
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly has_more: boolean;
}

/** Where nothing is said. */
const usualItems = 20;

/** `limit` of a query. Throws Failure `invalid_request` with `param`. */
export function limitOf(query: URLSearchParams, mostItems: number): number {
  const asked = query.get("limit");
  const limit = asked === null ? Math.min(usualItems, mostItems) : Number(asked);
  if (Number.isInteger(limit) && limit >= 1 && limit <= mostItems) return limit;
  throw badField("limit", `'limit' must be a whole number from 1 to ${mostItems}.`);
}

/** So many from an index on, in the order of the list. */
export function listPage<Item extends { readonly id?: unknown }>(
  items: readonly Item[],
  start: number,
  limit: number,
): Page<Item> {
  const data = items.slice(start, start + limit);
  return {
    object: "list",
    data,
    first_id: idOf(data[0]),
    last_id: idOf(data.at(-1)),
    has_more: start + data.length < items.length,
  };
}

function idOf(item: { readonly id?: unknown } | undefined): string | null {
  return typeof item?.id === "string" ? item.id : null;
}
