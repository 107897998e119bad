/** Entry of the page. Runs in the browser; everything else of `renderer/` does nothing when imported. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Page } from "./page.tsx";
import "./styles.css";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      retry: false,
      // The browser's "offline" speaks of the internet; a box on the LAN, or on this very machine, answers all the same.
      networkMode: "always",
    },
  },
});

const place = document.getElementById("page");
if (place !== null) {
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Page />
      </QueryClientProvider>
    </StrictMode>,
  );
}
