"""The Kafka protocol on the wire: frames, headers, messages. The only room that imports `kafka.protocol`.

Sans-IO and stateless. The message library decodes leniently, this room does not: headers are read by hand, a version is
looked up before anything is decoded, and a frame whose body does not end exactly at its last byte is refused.
"""
