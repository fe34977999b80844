const LOCAL_HOSTS = ["localhost", "127.", "[::1]"];

/**
 * Complete an address as people type it: `gateway.example.com` is https, `localhost:3000` is http.
 *
 * Undefined when it is none. The bridge completes it alike; here it serves to open a page before signing in.
 */
export function completeAddress(typed: string): string | undefined {
  const text = typed.trim();
  if (!text || /\s/.test(text)) return undefined;
  const isLocal = LOCAL_HOSTS.some((host) => text.startsWith(host));
  const whole = text.includes("://") ? text : `${isLocal ? "http" : "https"}://${text}`;
  if (!URL.canParse(whole)) return undefined;
  const url = new URL(whole);
  if ((url.protocol !== "http:" && url.protocol !== "https:") || !url.hostname) return undefined;
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, "")}`;
}
