/** `/admin/budgets`: every budget with what is spent, held and left of it and when it begins anew; set and taken away. */
import { budgetName, budgetSetting } from "../../config/budget-setting.ts";
import { fieldFailure } from "../../dialects/field-failure.ts";
import { sendJson } from "../send.ts";
import type { AdminResource } from "./resource.ts";

const setBody = budgetSetting.extend({ name: budgetName });

export const budgetsResource: AdminResource = ({ deps, readBody }) => {
  const { budgets } = deps;
  return [
    {
      method: "GET",
      path: "/admin/budgets",
      handle(_request, response) {
        sendJson(response, 200, { heldNanos: budgets.heldNanos(), budgets: budgets.list() });
      },
    },
    {
      method: "POST",
      path: "/admin/budgets",
      async handle(request, response) {
        const body = setBody.safeParse(await readBody(request, response));
        if (!body.success) throw fieldFailure(body.error);
        const { name, ...setting } = body.data;
        sendJson(response, 200, { budgets: budgets.set(name, setting) });
      },
    },
    {
      method: "DELETE",
      path: "/admin/budgets/:name",
      handle(request, response) {
        const name = String(request.params.name);
        budgets.remove(name);
        sendJson(response, 200, { removed: name });
      },
    },
  ];
};
