"""What the tests of the programs have in common."""

import os
import shutil
import tempfile
import unittest

import peers


def needs(tool):
    return unittest.skipUnless(peers.find(tool), f"{tool} is not installed")


class FolderCase(unittest.TestCase):
    """Each test has a folder of its own, and its servers end with it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="weft-test-")
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, server):
        self.addCleanup(server.stop)
        return server

    def path(self, name):
        return os.path.join(self.folder, name)
