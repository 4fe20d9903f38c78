def run(options, folder, verdict): pass
