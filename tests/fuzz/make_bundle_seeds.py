"""Makes the seeds of fuzz_bundle and fuzz_bundle_json out of the golden bundles: python3 tests/fuzz/make_bundle_seeds.py"""

import hashlib
import json
import os
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, '..', 'bundle', 'golden')
# The digit in front names the parser in fuzz_bundle_json.cpp.
PARSERS = ['bundle.json', 'model.json', 'task.json', 'schema.json', 'pipeline.json', 'baselines.json',
           'provenance/settings.json', 'estimator.json', 'ledger.jsonl']
SHORT = {'validation.json': b'{}', 'test.json': b'{}', 'README.md': b''}


def make(form, all_entries):
    with zipfile.ZipFile(os.path.join(GOLDEN, form + '.tern')) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    for number, name in enumerate(PARSERS):
        if name in entries and (all_entries or name in ('estimator.json', 'baselines.json', 'pipeline.json')):
            path = ('' if all_entries else form + '_') + name.replace('/', '_')
            with open(os.path.join(HERE, 'corpus', 'bundle_json', path), 'wb') as seed:
                seed.write(str(number).encode() + entries[name])

    entries.update(SHORT)
    manifest = json.loads(entries['bundle.json'])
    for name in SHORT:
        manifest['entries'][name] = {'size': len(entries[name]), 'sha256': hashlib.sha256(entries[name]).hexdigest()}
    entries['bundle.json'] = json.dumps(manifest).encode()
    with zipfile.ZipFile(os.path.join(HERE, 'corpus', 'bundle', form + '.tern'), 'w', zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)


for folder in ('bundle', 'bundle_json'):
    os.makedirs(os.path.join(HERE, 'corpus', folder), exist_ok=True)
make('format1', True)
make('format2', False)
