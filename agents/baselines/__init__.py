"""The recurrent agents of VLN-CE, Seq2Seq and CMA, on the senses and the decisions of the 3D-VLM."""
