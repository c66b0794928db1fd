"""What we ask of the machine: paths, files, threads, processes; nothing here knows of NCP."""
