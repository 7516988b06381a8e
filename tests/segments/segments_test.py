"""examples/segments finds segments that differ, draws every customer, and says what it cannot read."""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

program, telco = sys.argv[1:]
run = lambda *arguments: subprocess.run([program, *arguments], capture_output=True, text=True, check=False)

with tempfile.TemporaryDirectory() as folder:
    svg = os.path.join(folder, 'segments.svg')
    found = run(telco, svg)
    assert found.returncode == 0, found.stderr
    sizes = [int(size) for size in re.findall(r'segment \d+: (\d+) customers', found.stdout)]
    assert len(sizes) == 4 and sum(sizes) == 7043, found.stdout
    left = [int(share) for share in re.findall(r'(\d+) % left', found.stdout)]
    assert max(left) > 3 * min(left), found.stdout
    circles = xml.parse(svg).getroot().findall('{http://www.w3.org/2000/svg}circle')
    assert len(circles) == 7043, len(circles)
    again = run(telco, svg)
    assert again.stdout == found.stdout
    assert run(telco, svg, '2').stdout.count('segment ') == 2
    for arguments in ((), (telco,), (telco, svg, '0')):
        assert run(*arguments).returncode == 2, arguments
    for arguments in (('missing.csv', svg), (telco, os.path.join(folder, 'no', 'folder.svg')), (telco, svg, '100000')):
        wrong = run(*arguments)
        assert wrong.returncode == 2 and wrong.stderr.startswith('['), (arguments, wrong.stderr)
