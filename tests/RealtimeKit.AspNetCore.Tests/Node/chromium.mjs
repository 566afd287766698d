// Starts a real Chromium with a profile of its own, and takes both away afterwards.
import { chromium } from 'playwright-core';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function useChromium(executablePath, options, use) {
  const profile = await mkdtemp(join(tmpdir(), 'realtimekit-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    ignoreHTTPSErrors: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      // A page that a test makes up has no address, and so counts as a public one that must not reach the loopback.
      '--disable-features=LocalNetworkAccessChecks'],
    ...options,
  });
  try {
    await use(await context.newPage());
  } finally {
    await context.close();
    // Its processes may still write there when it has closed.
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}
