// Makes wwwroot/vendor from node_modules: one ES module for each library that pages import, its licences, and a manifest.
// `node vendor.mjs [FOLDER]`: another folder is where a test builds them again, to compare.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, '../wwwroot/vendor');

// Yjs must be loaded once: y-websocket imports the same file that the page does.
const yjsIsShared = {
  name: 'yjs-is-shared',
  setup: build => build.onResolve({ filter: /^yjs$/ }, ({ kind }) => (kind === 'entry-point' ? undefined : { path: './yjs.js', external: true })),
};
const bundles = [
  { file: 'yjs.js', entry: 'yjs' },
  { file: 'y-websocket.js', entry: 'y-websocket', plugins: [yjsIsShared] },
  { file: 'uplot.js', entry: 'uplot' },
  { file: 'uplot.css', entry: 'uplot/dist/uPlot.min.css' },
];

const lock = JSON.parse(await readFile(join(here, 'package-lock.json'), 'utf8'));
const manifest = { bundler: `esbuild ${lock.packages['node_modules/esbuild'].version}`, files: [] };
await mkdir(target, { recursive: true });
const all = new Set();
for (const { file, entry, plugins } of bundles) {
  const { metafile } = await build({
    absWorkingDir: here, entryPoints: [entry], outfile: join(target, file), plugins,
    bundle: true, format: 'esm', target: 'es2022', platform: 'browser', minify: true, legalComments: 'none', logLevel: 'warning', metafile: true,
    banner: { [file.endsWith('.css') ? 'css' : 'js']: '/* Versions: manifest.json. Licences: LICENSES.txt. */' },
  });
  // What has really gone in, whether it was named above or came along.
  const used = Object.values(metafile.outputs).flatMap(output => Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path));
  const packages = [...new Set(used.map(path => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)[1]))].sort();
  packages.forEach(name => all.add(name));
  manifest.files.push({
    file,
    packages: Object.fromEntries(packages.map(name => [name, lock.packages[`node_modules/${name}`].version])),
    sha256: createHash('sha256').update(await readFile(join(target, file))).digest('hex'),
  });
}

let licences = 'The libraries in this folder, unmodified but for bundling, and their licences.\n';
for (const name of [...all].sort()) {
  const { version, license } = lock.packages[`node_modules/${name}`];
  const text = (await readFile(join(here, 'node_modules', name, 'LICENSE'), 'utf8')).replaceAll('\r\n', '\n').trim();
  licences += `\n${'='.repeat(72)}\n${name} ${version} (${license})\n${'='.repeat(72)}\n\n${text}\n`;
}
await writeFile(join(target, 'LICENSES.txt'), licences.replace(/[ \t]+$/gm, ''));
await writeFile(join(target, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
