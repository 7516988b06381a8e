"""Makes the seeds of fuzz_bundle and fuzz_bundle_json out of the golden bundle: python3 tests/fuzz/make_bundle_seeds.py"""

import hashlib
import json
import os
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, '..', 'bundle', 'golden', 'format1.tern')
# The digit in front names the parser in fuzz_bundle_json.cpp.
PARSERS = ['bundle.json', 'model.json', 'task.json', 'schema.json', 'pipeline.json', 'baselines.json',
           'provenance/settings.json', 'ledger.jsonl']
SHORT = {'validation.json': b'{}', 'test.json': b'{}', 'README.md': b''}


def main():
    for name in ('bundle', 'bundle_json'):
        os.makedirs(os.path.join(HERE, 'corpus', name), exist_ok=True)
    with zipfile.ZipFile(GOLDEN) as archive:
        entries = {info.filename: archive.read(info) for info in archive.infolist()}
    for number, name in enumerate(PARSERS):
        with open(os.path.join(HERE, 'corpus', 'bundle_json', name.replace('/', '_')), 'wb') as seed:
            seed.write(str(number).encode() + entries[name])

    entries.update(SHORT)
    manifest = json.loads(entries['bundle.json'])
    for name in SHORT:
        manifest['entries'][name] = {'size': len(entries[name]), 'sha256': hashlib.sha256(entries[name]).hexdigest()}
    entries['bundle.json'] = json.dumps(manifest).encode()
    with zipfile.ZipFile(os.path.join(HERE, 'corpus', 'bundle', 'format1.tern'), 'w', zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)


main()
