#!/usr/bin/python3 -B
"""The pages in headless Firefox on the real server: the part of test_browser.py that depends on the browser."""

import firefox
import rig
import test_browser


class Firefox(test_browser.Browser):
    driver = firefox
    # What the server does is the same.
    test_one_camera = None
    test_page_of_another_site = None
    test_processes_die = None


if __name__ == "__main__":
    rig.main()
