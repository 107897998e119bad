/**
 * A list as a zod schema that stops at its first wrong element. Zod's own goes on and describes every one of them: two
 * megabytes of `1,1,1,…` for messages are then two seconds of standing still and most of a gigabyte of complaints, of
 * which one is told. Pure; shared by the dialects.
 */
import { z } from "zod";

/** `leastLength` elements or more; `element` judges each. */
export function listOf<Element extends z.ZodType>(element: Element, leastLength = 0) {
  return z
    .array(z.unknown())
    .min(leastLength)
    .transform((items, context): z.output<Element>[] => {
      const read: z.output<Element>[] = [];
      for (const [index, item] of items.entries()) {
        const result = element.safeParse(item);
        if (!result.success) {
          const [issue] = result.error.issues;
          const here = { ...issue, path: [index, ...(issue?.path ?? [])], input: item };
          context.issues.push(here as z.core.$ZodRawIssue);
          return z.NEVER;
        }
        read.push(result.data);
      }
      return read;
    });
}
