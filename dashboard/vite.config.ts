/**
 * Build and development server. The build goes to dist/: the site serves its index.html at `/` and its files below /static/dashboard/.
 * `npm run dev` proxies the site's addresses to POLYBOT_URL (default http://127.0.0.1:8000), so one login serves both.
 */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const site = process.env["POLYBOT_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig(({ command }) => ({
  base: command === "build" ? "/static/dashboard/" : "/",
  plugins: [react()],
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": site,
      "/login": site,
      "/logout": site,
      "/static": site,
      "/ws": { target: site, ws: true },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["tests/**/*.test.{ts,tsx}"],
    pool: "threads",
    isolate: false,
    maxWorkers: 1,
    restoreMocks: true,
    unstubGlobals: true,
  },
}));
